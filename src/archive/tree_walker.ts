/** Walks the source tree in archive order and turns what it finds into entries (`spec/pxar.md` §10). */
import { DozoError, errorMessage } from "../base/errors.ts";
import type { Pattern } from "../formats/pattern.ts";
import { FileType, type Metadata, type PxarEncoder, type PxarEntry } from "../formats/pxar/mod.ts";
import {
  close,
  EntryType,
  FsError,
  fstat,
  fstatat,
  majorOf,
  minorOf,
  open,
  openat,
  OpenFlag,
  readlinkat,
  type Stat,
} from "../native/fs.ts";
import type { ArchiveWriter, LinkTarget, PendingEntry } from "./archive_writer.ts";
import type { CreateOptions, CreateStats } from "./create_types.ts";
import type { ChildList } from "./child_list.ts";
import { ExcludeList, isSkippable, skipMessage } from "./directory_list.ts";
import { DEFAULT_FEATURES, type SourceFeatures } from "./features.ts";
import { MountRules } from "./mounts.ts";
import { PathBuffer, quotePath } from "./path.ts";
import { type PreviousTree, sameMetadata } from "./previous.ts";
import type { ReuseCache } from "./reuse.ts";
import { plainMetadata, readMetadata } from "./source_metadata.ts";
import { Turns } from "./turns.ts";

const ENTRIES_MAX = 1_048_576;

/** NONBLOCK: a fifo that took a file's place must not stop the walk. */
const FILE_FLAGS = OpenFlag.READ | OpenFlag.NOFOLLOW | OpenFlag.NONBLOCK | OpenFlag.NO_CTTY;
const DIRECTORY_FLAGS = OpenFlag.READ | OpenFlag.NOFOLLOW | OpenFlag.DIRECTORY;

const NOTHING = new Uint8Array(0);
const NO_METADATA: Metadata = Object.freeze({ mode: 0, flags: 0, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 0 });

interface Level {
  readonly fd: number;
  readonly device: number;
  readonly features: SourceFeatures;
  readonly children: ChildList;
  next: number;
  /** Number of exclude patterns that were in force outside of this directory. */
  readonly outerPatterns: number;
}

export interface WalkerParts {
  patterns: readonly Pattern[];
  encoder: PxarEncoder;
  writer: ArchiveWriter;
  reuse?: ReuseCache;
  previousTree?: PreviousTree;
  stats: CreateStats;
  warn: (line: string) => void;
}

/** One run over the source tree; {@link TreeWalker.close} it afterwards, also when it failed. */
export class TreeWalker {
  readonly #options: CreateOptions;
  readonly #parts: WalkerParts;
  readonly #stats: CreateStats;
  readonly #excludes: ExcludeList;
  readonly #mounts: MountRules;
  readonly #path = new PathBuffer();
  readonly #levels: Level[] = [];
  readonly #links = new Map<string, { readonly target: LinkTarget; namesLeft: number }>();
  readonly #entriesMax: number;
  /** Directory entries on the way from the root to here. */
  #entries = 0;
  #noAtime: number = OpenFlag.NOATIME;
  /** Offset of the last old payload that was accepted for reuse. */
  #lastReused = -1;

  constructor(options: CreateOptions, parts: WalkerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#stats = parts.stats;
    this.#excludes = new ExcludeList(parts.patterns, parts.warn);
    const features = options.features ?? DEFAULT_FEATURES;
    this.#mounts = new MountRules(options.includeDev ?? [], options.allFileSystems ?? false, features);
    this.#entriesMax = options.entriesMax ?? ENTRIES_MAX;
  }

  /** Archives the root and everything below it, without the root's end. */
  async run(): Promise<void> {
    await this.#root();
    const turns = new Turns(this.#options.signal);
    while (this.#levels.length > 0) {
      const level = this.#levels[this.#levels.length - 1];
      let wait: void | Promise<void>;
      if (level.next < level.children.length) {
        const name = level.children.nameAt(level.next);
        try {
          wait = this.#child(level, name, level.children.typeAt(level.next++));
          if (wait) await wait;
        } catch (error) {
          throw this.#explain(error, name);
        }
      } else {
        wait = this.#leave(level);
        if (wait) await wait;
      }
      wait = turns.next();
      if (wait) await wait;
    }
  }

  /** Closes what is still open after a failure. */
  close(): void {
    for (const level of this.#levels.splice(0)) close(level.fd);
  }

  #explain(error: unknown, name: Uint8Array): unknown {
    if (!(error instanceof FsError)) return error;
    return new DozoError(`cannot archive ${quotePath(this.#path.child(name))}: ${errorMessage(error)}`, {
      cause: error,
    });
  }

  async #root(): Promise<void> {
    const { source } = this.#options;
    let fd: number;
    try {
      fd = open(source, OpenFlag.READ | OpenFlag.DIRECTORY);
    } catch (error) {
      throw new DozoError(`cannot open the source directory '${source}': ${errorMessage(error)}`, { cause: error });
    }
    try {
      const stat = fstat(fd);
      if (this.#mounts.isVirtual(fd, stat.dev)) {
        throw new DozoError(`'${source}' is on a virtual file system, which has nothing to back up`);
      }
      this.#mounts.allow(stat.dev);
      const features = this.#mounts.features(fd, stat.dev);
      await this.#parts.encoder.root(this.#metadata(fd, stat, true, features, NOTHING));
      this.#stats.directories++;
      this.#push(fd, stat.dev, features);
    } catch (error) {
      if (this.#levels.length === 0) close(fd);
      throw error;
    }
  }

  /** Lists the open directory and makes it the current one. */
  #push(fd: number, device: number, features: SourceFeatures): void {
    const outerPatterns = this.#excludes.length;
    const room = this.#entriesMax - this.#entries;
    const children = this.#excludes.list(fd, this.#path, this.#levels.length === 0, room);
    this.#entries += children.length;
    if (children.length > room) {
      const where = quotePath(this.#path.current());
      throw new DozoError(
        `more than ${this.#entriesMax} directory entries on the path to ${where}: raise the limit with --entries-max`,
      );
    }
    this.#levels.push({ fd, device, features, children, next: 0, outerPatterns });
  }

  #leave(level: Level): void | Promise<void> {
    this.#levels.pop();
    close(level.fd);
    this.#entries -= level.children.length;
    this.#excludes.restore(level.outerPatterns);
    if (this.#levels.length === 0) return;
    this.#path.leave();
    this.#parts.previousTree?.leave();
    return this.#emit(entryOf("leave", NOTHING, NO_METADATA));
  }

  #emit(entry: PendingEntry, oldOffset = -1): void | Promise<void> {
    const { reuse, writer } = this.#parts;
    return reuse ? reuse.add(entry, oldOffset) : writer.write(entry);
  }

  #child(level: Level, name: Uint8Array, type: number): void | Promise<void> {
    switch (type) {
      case EntryType.FILE:
        return this.#file(level, name);
      case EntryType.DIRECTORY:
        return this.#directory(level, name);
      case EntryType.SYMLINK:
      case EntryType.BLOCK_DEVICE:
      case EntryType.CHAR_DEVICE:
      case EntryType.FIFO:
      case EntryType.SOCKET:
        return this.#special(level, name);
      default:
        throw new DozoError(`${quotePath(this.#path.child(name))} is of an unknown type (${type})`);
    }
  }

  /** Opens a child, or reports why it is left out and returns −1. */
  #open(level: Level, name: Uint8Array, flags: number): number {
    try {
      return openat(level.fd, name, flags | this.#noAtime);
    } catch (error) {
      if (error instanceof FsError && error.code === "EPERM" && this.#noAtime !== 0) {
        // Only the owner may ask for this; others' files are then read the ordinary way.
        try {
          return openat(level.fd, name, flags);
        } catch (second) {
          return this.#skip(name, second);
        }
      }
      return this.#skip(name, error);
    }
  }

  #skip(name: Uint8Array, error: unknown): -1 {
    if (!isSkippable(error)) throw error;
    this.#parts.warn(skipMessage(this.#path.child(name), error));
    return -1;
  }

  #metadata(fd: number, stat: Stat, directory: boolean, features: SourceFeatures, name: Uint8Array): Metadata {
    return readMetadata(fd, stat, directory, {
      features,
      skipE2bigXattr: this.#options.skipE2bigXattr ?? false,
      warn: (problem) => this.#parts.warn(`${quotePath(this.#path.child(name))}: ${problem}`),
    });
  }

  #file(level: Level, name: Uint8Array): void | Promise<void> {
    const fd = this.#open(level, name, FILE_FLAGS);
    if (fd < 0) return;
    let stat: Stat;
    let metadata: Metadata;
    let link: LinkTarget | undefined;
    try {
      stat = fstat(fd);
      if ((stat.mode & FileType.Mask) !== FileType.Regular) {
        close(fd);
        this.#parts.warn(`skipped ${quotePath(this.#path.child(name))}: was replaced`);
        return;
      }
      this.#stats.files++;
      if (stat.nlink > 1) {
        const key = `${stat.dev}:${stat.ino}`;
        const known = this.#links.get(key);
        if (known) {
          close(fd);
          this.#stats.hardlinks++;
          // Behind the last name nobody asks for it any more.
          if (--known.namesLeft === 0) this.#links.delete(key);
          return this.#emit(entryOf("hardlink", name, NO_METADATA, { link: known.target }));
        }
        link = { path: this.#path.child(name).slice(1), offset: 0 };
        this.#links.set(key, { target: link, namesLeft: stat.nlink - 1 });
      }
      metadata = this.#metadata(fd, stat, false, level.features, name);
    } catch (error) {
      close(fd);
      if (isSkippable(error)) return void this.#skip(name, error);
      throw error;
    }
    const path = this.#path.child(name).slice();
    const entry = entryOf("file", name, metadata, { size: stat.size, fd, link, path });
    const { previousTree } = this.#parts;
    if (!previousTree) return this.#emit(entry);
    const found = previousTree.find(name);
    if (found instanceof Promise) {
      return found.then((previous) => this.#emit(entry, this.#reusableOffset(entry, previous)));
    }
    return this.#emit(entry, this.#reusableOffset(entry, found));
  }

  /** Offset of the old PAYLOAD item when the file may be stored by reference to it, else −1 (§9.2). */
  #reusableOffset(entry: PendingEntry, previous: PxarEntry | undefined): number {
    if (previous?.kind !== "file" || previous.size !== entry.size) return -1;
    const offset = previous.dataOffset - 16;
    const index = this.#options.previous?.index;
    if (!index || offset <= this.#lastReused || previous.dataOffset + previous.size > index.size) return -1;
    if (!sameMetadata(entry.metadata, previous.metadata)) return -1;
    this.#lastReused = offset;
    return offset;
  }

  #directory(level: Level, name: Uint8Array): void | Promise<void> {
    const { previousTree } = this.#parts;
    const found = previousTree?.find(name);
    if (found instanceof Promise) return found.then((previous) => this.#enter(level, name, previous));
    return this.#enter(level, name, found);
  }

  #enter(level: Level, name: Uint8Array, previous: PxarEntry | undefined): void | Promise<void> {
    const fd = this.#open(level, name, DIRECTORY_FLAGS);
    if (fd < 0) return;
    let metadata: Metadata;
    let stat: Stat;
    let features = level.features;
    let enters = true;
    try {
      stat = fstat(fd);
      if (stat.dev !== level.device) {
        enters = this.#mounts.enters(fd, stat.dev);
        features = this.#mounts.features(fd, stat.dev);
      }
      metadata = this.#metadata(fd, stat, true, features, name);
    } catch (error) {
      close(fd);
      if (isSkippable(error)) return void this.#skip(name, error);
      throw error;
    }
    this.#stats.directories++;
    if (!enters) {
      this.#parts.warn(`skipped the content of mount point ${quotePath(this.#path.child(name))}`);
      close(fd);
    }
    const wait = this.#emit(entryOf("enter", name, metadata));
    if (wait) return wait.then(() => this.#entered(fd, stat, features, name, previous, enters));
    return this.#entered(fd, stat, features, name, previous, enters);
  }

  #entered(
    fd: number,
    stat: Stat,
    features: SourceFeatures,
    name: Uint8Array,
    previous: PxarEntry | undefined,
    enters: boolean,
  ): void | Promise<void> {
    if (!enters) return this.#emit(entryOf("leave", NOTHING, NO_METADATA));
    this.#path.enter(name);
    this.#parts.previousTree?.enter(previous);
    try {
      this.#push(fd, stat.dev, features);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** Symlinks, devices, fifos and sockets: never opened, so without attributes. */
  #special(level: Level, name: Uint8Array): void | Promise<void> {
    try {
      const stat = fstatat(level.fd, name);
      const metadata = plainMetadata(stat);
      switch (stat.mode & FileType.Mask) {
        case FileType.Symlink:
          return this.#emit(entryOf("symlink", name, metadata, { target: readlinkat(level.fd, name) }));
        case FileType.Block:
        case FileType.Character:
          return this.#emit(
            entryOf("device", name, metadata, { major: majorOf(stat.rdev), minor: minorOf(stat.rdev) }),
          );
        case FileType.Fifo:
        case FileType.Socket:
          return this.#emit(entryOf("special", name, metadata));
        default:
          this.#parts.warn(`skipped ${quotePath(this.#path.child(name))}: was replaced`);
      }
    } catch (error) {
      this.#skip(name, error);
    }
  }
}

function entryOf(
  op: PendingEntry["op"],
  name: Uint8Array,
  metadata: Metadata,
  more?: Partial<PendingEntry>,
): PendingEntry {
  return {
    op,
    name,
    metadata,
    size: more?.size ?? 0,
    fd: more?.fd ?? -1,
    link: more?.link,
    target: more?.target,
    major: more?.major ?? 0,
    minor: more?.minor ?? 0,
    path: more?.path,
  };
}
