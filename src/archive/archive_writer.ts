/** Writes entries, once it is decided how, to the encoder and the catalog. */
import { close } from "../native/fs.ts";
import type { CatalogWriter } from "../formats/catalog.ts";
import { FileType, type Metadata, type PxarEncoder } from "../formats/pxar/mod.ts";
import type { CreateStats } from "./create_types.ts";
import { copyFile } from "./file_data.ts";
import { quotePath } from "./path.ts";

/** A file with several names: where the first one was written, once it was. */
export interface LinkTarget {
  /** Path from the root, without leading slash. */
  readonly path: Uint8Array;
  offset: number;
}

/** An entry on its way into the archive. */
export interface PendingEntry {
  readonly op: "enter" | "leave" | "file" | "hardlink" | "symlink" | "device" | "special";
  readonly name: Uint8Array;
  readonly metadata: Metadata;
  /** Regular files: bytes, and the open file (closed by whoever writes or drops the entry). */
  readonly size: number;
  readonly fd: number;
  /** Files with several names and hardlinks. */
  readonly link?: LinkTarget;
  /** Symlinks. */
  readonly target?: Uint8Array;
  readonly major: number;
  readonly minor: number;
  /** Full path of a regular file (`/a/b`), for messages. */
  readonly path?: Uint8Array;
}

const DEVICE_TYPES = new Map<number, "b" | "c" | "p" | "s">([
  [FileType.Block, "b"],
  [FileType.Character, "c"],
  [FileType.Fifo, "p"],
  [FileType.Socket, "s"],
]);

/** Hands entries to the encoder and the catalog; methods return a promise only where they have to wait. */
export class ArchiveWriter {
  readonly #encoder: PxarEncoder;
  readonly #catalog?: CatalogWriter;
  readonly #stats: CreateStats;
  readonly #warn: (line: string) => void;

  constructor(
    encoder: PxarEncoder,
    catalog: CatalogWriter | undefined,
    stats: CreateStats,
    warn: (line: string) => void,
  ) {
    this.#encoder = encoder;
    this.#catalog = catalog;
    this.#stats = stats;
    this.#warn = warn;
  }

  get payloadPosition(): number {
    return this.#encoder.payloadPosition;
  }

  /** The payload stream grew by injected chunks. */
  advancePayload(size: number): void {
    this.#encoder.advancePayload(size);
  }

  /** Writes `entry`; a regular file by reading it. */
  write(entry: PendingEntry): void | Promise<void> {
    const { op, name, metadata } = entry;
    const encoder = this.#encoder, catalog = this.#catalog;
    switch (op) {
      case "file":
        return this.#file(entry);
      case "enter":
        catalog?.startDirectory(name);
        return encoder.enter(name, metadata);
      case "leave":
        catalog?.endDirectory();
        return encoder.leave();
      case "hardlink": {
        const link = entry.link as LinkTarget;
        catalog?.addEntry("h", name);
        return encoder.hardlink(name, link.path, link.offset);
      }
      case "symlink":
        catalog?.addEntry("l", name);
        return encoder.symlink(name, metadata, entry.target as Uint8Array);
      case "device":
      case "special": {
        const type = DEVICE_TYPES.get(metadata.mode & FileType.Mask);
        if (type) catalog?.addEntry(type, name);
        if (op === "special") return encoder.special(name, metadata);
        return encoder.device(name, metadata, entry.major, entry.minor);
      }
    }
  }

  #file(entry: PendingEntry): void | Promise<void> {
    const { name, metadata, size, link } = entry;
    if (link) link.offset = this.#encoder.position;
    this.#catalog?.addFile(name, size, metadata.mtimeSec);
    this.#stats.encodedFiles++;
    this.#stats.encodedSize += size;
    const wait = this.#encoder.file(name, metadata, size);
    return wait ? wait.then(() => this.#copy(entry)) : this.#copy(entry);
  }

  #copy(entry: PendingEntry): void | Promise<void> {
    return copyFile(entry.fd, entry.size, this.#encoder.dataSink, (how) => {
      const fate = how === "grew" ? "stored with the size it had at first" : "filled up with zeros";
      this.#warn(`file ${quotePath(entry.path as Uint8Array)} ${how} while it was read: ${fate}`);
    });
  }

  /** Writes a regular file as a reference to `offset` of the payload stream and closes it. */
  writeReference(entry: PendingEntry, offset: number): void | Promise<void> {
    const { name, metadata, size, link } = entry;
    close(entry.fd);
    if (link) link.offset = this.#encoder.position;
    this.#catalog?.addFile(name, size, metadata.mtimeSec);
    this.#stats.reusedFiles++;
    this.#stats.reusedSize += size;
    return this.#encoder.fileReference(name, metadata, size, offset);
  }

  /** Gives up an entry that will not be written. */
  drop(entry: PendingEntry): void {
    if (entry.op === "file") close(entry.fd);
  }
}
