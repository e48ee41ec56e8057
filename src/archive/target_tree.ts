/** The directories that an extraction is in, opened one below the other so that no link is ever followed. */
import { DozoError, errorMessage } from "../base/errors.ts";
import { FileType, type Metadata } from "../formats/pxar/mod.ts";
import { close, FsError, fstatat, mkdir, mkdirat, open, openat, OpenFlag } from "../native/fs.ts";
import { PathBuffer, quotePath } from "./path.ts";

const DIRECTORY_FLAGS = OpenFlag.READ | OpenFlag.NOFOLLOW | OpenFlag.DIRECTORY;

interface Level {
  readonly name: Uint8Array;
  readonly metadata: Metadata;
  /** −1 until something is extracted into it. */
  fd: number;
  /** Entries inside are extracted unless a pattern says otherwise. */
  readonly selected: boolean;
  /** Creating it failed: everything inside fails with this. */
  error?: unknown;
  path?: Uint8Array;
  /** Files that another thread still has to create in it. */
  pending: number;
  /** Was left while some were pending: what remains to be done then. */
  finish?: (fd: number, metadata: Metadata) => void;
}

/** Holds a directory open for a file that another thread creates. */
export interface Hold {
  readonly fd: number;
  /** Path of the directory in the archive. */
  readonly path: Uint8Array;
  /** The file is there; a directory that was left meanwhile gets its metadata with the last one. */
  release(): void;
}

/** The way from the target to the current directory; directories appear on disk when something goes into them. */
export class TargetTree {
  readonly #levels: Level[] = [];
  /** Left, but held. */
  readonly #left = new Set<Level>();
  readonly #allowExisting: boolean;
  readonly #onCreate: () => void;
  readonly path = new PathBuffer();

  /** `onCreate` is called for every directory that is created or taken over. */
  constructor(allowExisting: boolean, onCreate: () => void) {
    this.#allowExisting = allowExisting;
    this.#onCreate = onCreate;
  }

  /** Opens the target itself, creating it (0700) when missing. Its own path may contain links: the user chose it. */
  openRoot(target: string, metadata: Metadata, selected: boolean): void {
    try {
      try {
        mkdir(target, 0o700);
      } catch (error) {
        if (!(error instanceof FsError && error.code === "EEXIST")) throw error;
      }
      const fd = open(target, OpenFlag.READ | OpenFlag.DIRECTORY);
      this.#levels.push({ name: new Uint8Array(0), metadata, fd, selected, pending: 0 });
      this.#onCreate();
    } catch (error) {
      throw new DozoError(`cannot open the target directory '${target}': ${errorMessage(error)}`, { cause: error });
    }
  }

  get depth(): number {
    return this.#levels.length;
  }

  /** The target directory itself. */
  get rootFd(): number {
    return this.#levels[0].fd;
  }

  /** True when entries of the current directory are extracted by default. */
  get selected(): boolean {
    return this.#levels[this.#levels.length - 1].selected;
  }

  /** Goes into `name`; on disk only when `create`, else once something inside is extracted. */
  enter(name: Uint8Array, metadata: Metadata, selected: boolean, create: boolean): void {
    this.#levels.push({ name, metadata, fd: -1, selected, pending: 0 });
    this.path.enter(name);
    if (create) this.fd();
  }

  /**
   * The current directory, created now if it was not yet. Throws {@link DozoError} where that is not possible: always the
   * same error for everything inside.
   */
  fd(): number {
    const last = this.#levels[this.#levels.length - 1];
    if (last.fd >= 0) return last.fd;
    for (let i = 1; i < this.#levels.length; i++) {
      const level = this.#levels[i];
      if (level.fd >= 0) continue;
      if (level.error) throw level.error;
      try {
        level.fd = this.#create(this.#levels[i - 1].fd, level);
      } catch (error) {
        level.error = new DozoError(`cannot create the directory ${quotePath(level.name)}: ${errorMessage(error)}`, {
          cause: error,
        });
        throw level.error;
      }
    }
    return last.fd;
  }

  #create(parent: number, { name, metadata }: Level): number {
    try {
      mkdirat(parent, name, metadata.mode & 0o777 | 0o700);
    } catch (error) {
      if (!(error instanceof FsError && error.code === "EEXIST" && this.#allowExisting)) throw error;
      if ((fstatat(parent, name).mode & FileType.Mask) !== FileType.Directory) throw error;
    }
    const fd = openat(parent, name, DIRECTORY_FLAGS);
    this.#onCreate();
    return fd;
  }

  /** Holds the current directory open for one more file; created now if it was not yet, as by {@link fd}. */
  hold(): Hold {
    const fd = this.fd();
    const level = this.#levels[this.#levels.length - 1];
    level.pending++;
    return {
      fd,
      path: level.path ??= this.path.current(),
      release: () => {
        if (--level.pending === 0 && level.finish) this.#finish(level, level.finish);
      },
    };
  }

  /**
   * Leaves the current directory; `finish` gets its open fd (when it exists on disk) for the metadata, at once or when
   * nothing holds it any more.
   */
  leave(finish: (fd: number, metadata: Metadata) => void): void {
    const level = this.#levels.pop() as Level;
    if (this.#levels.length > 0) this.path.leave();
    if (level.fd < 0) return;
    if (level.pending > 0) {
      level.finish = finish;
      this.#left.add(level);
    } else this.#finish(level, finish);
  }

  #finish(level: Level, finish: (fd: number, metadata: Metadata) => void): void {
    this.#left.delete(level);
    try {
      finish(level.fd, level.metadata);
    } finally {
      close(level.fd);
    }
  }

  /** Closes everything after a failure; no other thread may use the directories any more. */
  close(): void {
    for (const { fd } of [...this.#levels.splice(0), ...this.#left]) if (fd >= 0) close(fd);
    this.#left.clear();
  }

  /**
   * Opens the directory part of `path` (components below the root, no `..`) without following links, hands it and the last
   * component to `use`, and closes it.
   */
  withParentOf<T>(path: Uint8Array, use: (fd: number, name: Uint8Array) => T): T {
    let fd = this.rootFd;
    let start = 0;
    try {
      for (let end = path.indexOf(0x2f); end >= 0; end = path.indexOf(0x2f, start)) {
        const next = openat(fd, path.subarray(start, end), DIRECTORY_FLAGS);
        if (fd !== this.rootFd) close(fd);
        fd = next;
        start = end + 1;
      }
      return use(fd, path.subarray(start));
    } finally {
      if (fd !== this.rootFd) close(fd);
    }
  }
}
