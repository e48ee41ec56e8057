/**
 * A back end without any file system, for tests: an object store in miniature. It knows only keys and bodies, so whatever runs on it
 * assumes no local path.
 */
import { fromHex, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { blobKind, isEncryptedBlob } from "../../formats/blob.ts";
import type { InsertResult, SpaceStatus, StoredFile } from "../types.ts";
import { MAX_BAD } from "./chunk_path.ts";
import type { ChunkEntry, DirectoryEntry, EntryStat, StorageBackend, WriteOptions } from "./contract.ts";

interface Body {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly version: number;
  readonly mtime: number;
}

interface MemoryChunk {
  bytes: Uint8Array<ArrayBuffer>;
  /** Epoch seconds. */
  atime: number;
}

/** What several handles of one store share. */
export class MemoryMedium {
  readonly directories = new Set<string>();
  readonly entries = new Map<string, Body>();
  /** By hex digest, with `.n.bad` for corrupt ones. */
  readonly chunks = new Map<string, MemoryChunk>();
  versions = 0;
}

const now = () => Date.now() / 1000;

/** One handle on a {@link MemoryMedium}. */
export class MemoryBackend implements StorageBackend {
  readonly type = "memory";
  readonly #medium: MemoryMedium;

  constructor(medium: MemoryMedium) {
    this.#medium = medium;
  }

  describe(path: string): string {
    return `memory:${path}`;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    await Promise.resolve();
    if (path !== "" && !this.#medium.directories.has(path)) return undefined;
    const child = (key: string) => path === "" ? key : key.startsWith(`${path}/`) ? key.slice(path.length + 1) : "/";
    const names = (keys: Iterable<string>) => [...keys].map(child).filter((name) => !name.includes("/"));
    return [
      ...names(this.#medium.directories).map((name) => ({ name, kind: "directory" as const })),
      ...names(this.#medium.entries.keys()).map((name) => ({ name, kind: "file" as const })),
    ];
  }

  async stat(path: string): Promise<EntryStat | undefined> {
    await Promise.resolve();
    const body = this.#medium.entries.get(path);
    if (body) return { kind: "file", size: body.bytes.length, mtime: body.mtime, version: String(body.version) };
    return this.#medium.directories.has(path) ? { kind: "directory", size: 0, mtime: now(), version: "" } : undefined;
  }

  async createDirectory(path: string): Promise<boolean> {
    await Promise.resolve();
    if (this.#medium.directories.has(path)) return false;
    for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
      this.#medium.directories.add(path.slice(0, slash));
    }
    this.#medium.directories.add(path);
    return true;
  }

  async removeTree(path: string): Promise<void> {
    await Promise.resolve();
    if (path === "") throw new DozoError("refusing to remove the base directory of a datastore");
    const within = (key: string) => key === path || key.startsWith(`${path}/`);
    for (const key of [...this.#medium.directories].filter(within)) this.#medium.directories.delete(key);
    for (const key of [...this.#medium.entries.keys()].filter(within)) this.#medium.entries.delete(key);
  }

  async removeDirectory(path: string): Promise<boolean> {
    return (await this.list(path))?.length === 0 && this.#medium.directories.delete(path);
  }

  async moveTree(from: string, to: string): Promise<void> {
    if (await this.stat(to)) throw new DozoError(`unable to move to "${to}" - it exists already`);
    const moved = (key: string) => key === from || key.startsWith(`${from}/`) ? to + key.slice(from.length) : undefined;
    for (const key of [...this.#medium.directories]) {
      const target = moved(key);
      if (target !== undefined && this.#medium.directories.delete(key)) this.#medium.directories.add(target);
    }
    for (const [key, body] of [...this.#medium.entries]) {
      const target = moved(key);
      if (target !== undefined && this.#medium.entries.delete(key)) this.#medium.entries.set(target, body);
    }
  }

  async readEntry(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await Promise.resolve();
    const body = this.#medium.entries.get(path);
    if (body && body.bytes.length > limit) throw new DozoError(`"${path}" has more than ${limit} bytes`);
    return body?.bytes.slice();
  }

  async openEntry(path: string): Promise<StoredFile | undefined> {
    const bytes = await this.readEntry(path, Infinity);
    if (!bytes) return undefined;
    return {
      size: bytes.length,
      read: (offset, buffer) => {
        const piece = bytes.subarray(offset, offset + buffer.length);
        buffer.set(piece);
        return Promise.resolve(piece.length);
      },
      readAll: (limit = Infinity) =>
        bytes.length > limit ? Promise.reject(new DozoError("too large")) : Promise.resolve(bytes.slice()),
      close: () => {},
    };
  }

  async writeEntry(path: string, parts: readonly Uint8Array<ArrayBuffer>[], options: WriteOptions = {}) {
    const bytes = new Uint8Array(await new Blob([...parts]).arrayBuffer());
    const directory = path.slice(0, path.lastIndexOf("/"));
    if (directory !== "" && !this.#medium.directories.has(directory)) {
      throw new DozoError(`no directory "${directory}"`);
    }
    if (options.exclusive && this.#medium.entries.has(path)) return false;
    this.#medium.entries.set(path, { bytes, version: ++this.#medium.versions, mtime: Math.floor(now()) });
    return true;
  }

  async removeEntry(path: string): Promise<boolean> {
    await Promise.resolve();
    return this.#medium.entries.delete(path);
  }

  async insertChunk(digest: Uint8Array, blob: Uint8Array<ArrayBuffer>): Promise<InsertResult> {
    await Promise.resolve();
    const key = toHex(digest);
    const known = this.#medium.chunks.get(key);
    if (known && known.bytes.length > 0 && !this.#replaces(known.bytes, blob)) {
      known.atime = now();
      return { duplicate: true, size: known.bytes.length };
    }
    this.#medium.chunks.set(key, { bytes: blob.slice(), atime: now() });
    return { duplicate: false, size: blob.length };
  }

  #replaces(old: Uint8Array, blob: Uint8Array): boolean {
    if (old.length === blob.length) return false;
    if (!isEncryptedBlob(blob)) return old.length > blob.length;
    if (!isEncryptedBlob(old) || blobKind(old) === "encrypted" && blobKind(blob) === "encrypted") {
      throw new DozoError("encrypted chunk does not fit the one with the same digest; refusing");
    }
    return false;
  }

  async readChunk(digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
    await Promise.resolve();
    return this.#medium.chunks.get(toHex(digest))?.bytes.slice();
  }

  async chunkSize(digest: Uint8Array): Promise<number | undefined> {
    return (await this.readChunk(digest))?.length || undefined;
  }

  async touchChunk(digest: Uint8Array): Promise<boolean> {
    await Promise.resolve();
    return this.#touch(toHex(digest));
  }

  async touchBadChunks(digest: Uint8Array): Promise<number> {
    await Promise.resolve();
    return Array.from({ length: MAX_BAD + 1 }, (_, n) => this.#touch(`${toHex(digest)}.${n}.bad`)).filter(Boolean)
      .length;
  }

  #touch(key: string): boolean {
    const chunk = this.#medium.chunks.get(key);
    if (chunk) chunk.atime = now();
    return chunk !== undefined;
  }

  async renameCorruptChunk(digest: Uint8Array): Promise<number | undefined> {
    await Promise.resolve();
    const chunk = this.#medium.chunks.get(toHex(digest));
    if (!chunk) return undefined;
    let n = 0;
    while (n < MAX_BAD && this.#medium.chunks.has(`${toHex(digest)}.${n}.bad`)) n++;
    this.#medium.chunks.set(`${toHex(digest)}.${n}.bad`, chunk);
    this.#medium.chunks.delete(toHex(digest));
    return n;
  }

  async *chunks(): AsyncGenerator<ChunkEntry, void, void> {
    for (const [key, { bytes, atime }] of [...this.#medium.chunks].sort(([a], [b]) => a < b ? -1 : 1)) {
      await Promise.resolve();
      const bad = key.length > 64 ? Number(key[65]) : undefined;
      yield { digest: fromHex(key.slice(0, 64)), bad, size: bytes.length, atime: Math.floor(atime) };
    }
  }

  async removeChunk(digest: Uint8Array, bad: number | undefined, olderThan: number): Promise<boolean> {
    await Promise.resolve();
    const key = bad === undefined ? toHex(digest) : `${toHex(digest)}.${bad}.bad`;
    const chunk = this.#medium.chunks.get(key);
    return chunk !== undefined && chunk.atime < olderThan && this.#medium.chunks.delete(key);
  }

  async flush(): Promise<void> {}

  async space(): Promise<SpaceStatus> {
    await Promise.resolve();
    return { total: 1e9, used: 1e6, avail: 1e9 - 1e6 };
  }

  close(): void {}
}
