/** Creates single entries on disk: never over something that was not allowed to be replaced, never through a link. */
import { DozoError, errorMessage } from "../base/errors.ts";
import { FileType, type Metadata, type PxarEntry } from "../formats/pxar/mod.ts";
import {
  close,
  fchmodat,
  FsError,
  fstatat,
  fstatatOrNull,
  linkat,
  makeDevice,
  mknodat,
  openat,
  OpenFlag,
  symlinkat,
  unlinkat,
} from "../native/fs.ts";
import type { ExtractOptions } from "./extract_types.ts";
import type { Features } from "./features.ts";
import type { MetadataRestorer } from "./restore_metadata.ts";
import type { TargetTree } from "./target_tree.ts";

const CREATE_FLAGS = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE | OpenFlag.NOFOLLOW;

/** Creates entries in the current directory of a {@link TargetTree}. Throws DozoError saying what was tried. */
export class EntryCreator {
  readonly #tree: TargetTree;
  readonly #metadata: MetadataRestorer;
  readonly #options: ExtractOptions;
  readonly #features: Features;

  constructor(tree: TargetTree, metadata: MetadataRestorer, options: ExtractOptions, features: Features) {
    this.#tree = tree;
    this.#metadata = metadata;
    this.#options = options;
    this.#features = features;
  }

  /** Opens a new, empty file called `name` in the current directory; an existing one only gives way with overwriting. */
  createFile(name: Uint8Array): number {
    const directory = this.#tree.fd();
    try {
      return openat(directory, name, CREATE_FLAGS, 0o600);
    } catch (error) {
      if (!this.#options.overwriteFiles || !exists(error)) throw explain("create the file", error);
    }
    // A new file instead of a truncated one: an old one may have further names, outside of the target.
    this.#removeOld(directory, name, [FileType.Regular]);
    try {
      return openat(directory, name, CREATE_FLAGS, 0o600);
    } catch (error) {
      throw explain("create the file", error);
    }
  }

  /** Removes `name` if it is of one of `types`; otherwise the "exists" error stands. */
  #removeOld(directory: number, name: Uint8Array, types: readonly number[]): void {
    const type = fstatat(directory, name).mode & FileType.Mask;
    if (!types.includes(type)) throw new DozoError("something of another kind has this name already: not replaced");
    unlinkat(directory, name, 0);
  }

  symlink(entry: PxarEntry): void {
    if (!this.#features.symlinks) return;
    const directory = this.#tree.fd();
    const target = entry.target as Uint8Array;
    this.#replacing("create the symlink", this.#options.overwriteSymlinks, directory, entry.name, () => {
      symlinkat(target, directory, entry.name);
    });
    this.#metadata.applyToName(directory, entry.name, entry.metadata);
  }

  hardlink(entry: PxarEntry): void {
    const directory = this.#tree.fd();
    const path = entry.target as Uint8Array;
    try {
      this.#tree.withParentOf(path, (parent, last) => {
        const old = fstatat(parent, last);
        if ((old.mode & FileType.Mask) !== FileType.Regular) throw new DozoError("its target is not a regular file");
        this.#replacing("create the hardlink", this.#options.overwriteHardlinks, directory, entry.name, () => {
          linkat(parent, last, directory, entry.name, 0);
        });
      });
    } catch (error) {
      throw explain("create the hardlink", error);
    }
  }

  /** True when there is something at `path` below the root. */
  linkTargetExists(path: Uint8Array): boolean {
    try {
      return this.#tree.withParentOf(path, (parent, last) => fstatatOrNull(parent, last)) !== null;
    } catch {
      return false;
    }
  }

  /** Runs `create`; where the name is taken and may be replaced, removes it (never a directory) and tries again. */
  #replacing(
    what: string,
    overwrite: boolean | undefined,
    directory: number,
    name: Uint8Array,
    create: () => void,
  ): void {
    try {
      create();
    } catch (error) {
      if (!overwrite || !exists(error)) throw explain(what, error);
      try {
        unlinkat(directory, name, 0);
        create();
      } catch (second) {
        throw explain(what, second);
      }
    }
  }

  /** Devices, fifos and sockets, as far as the features ask for them. */
  special(entry: PxarEntry, warn: (problem: string) => void): void {
    const { kind, name, metadata } = entry;
    const wanted = kind === "device"
      ? this.#features.devices
      : kind === "fifo"
      ? this.#features.fifos
      : this.#features.sockets;
    if (!wanted) return;
    const directory = this.#tree.fd();
    const type = metadata.mode & FileType.Mask;
    const device = kind === "device" ? deviceNumber(entry.major ?? 0, entry.minor ?? 0) : 0;
    try {
      mknodat(directory, name, type | 0o600, device);
    } catch (error) {
      const denied = error instanceof FsError && error.code === "EPERM";
      if (kind === "device" && denied && this.#options.ignoreDeviceErrors) {
        warn("device node not created: only root may do that");
        return;
      }
      throw explain(`create the ${kind}`, error);
    }
    this.#metadata.applyToName(directory, name, metadata, (mode) => this.#chmod(directory, name, type, mode));
  }

  /** chmod follows links, so make sure that what was just created is still there (nobody else should write here). */
  #chmod(directory: number, name: Uint8Array, type: number, mode: number): void {
    if ((fstatat(directory, name).mode & FileType.Mask) !== type) throw new DozoError("it was replaced meanwhile");
    fchmodat(directory, name, mode);
  }

  /** Metadata and closing of a file that is complete. */
  finishFile(fd: number, metadata: Metadata, warn: (problem: string) => void): void {
    try {
      this.#metadata.applyTo(fd, metadata, warn);
    } finally {
      close(fd);
    }
  }
}

function exists(error: unknown): boolean {
  return error instanceof FsError && error.code === "EEXIST";
}

function explain(what: string, error: unknown): DozoError {
  if (error instanceof DozoError && !(error instanceof FsError)) return error;
  return new DozoError(`cannot ${what}: ${errorMessage(error)}`, { cause: error });
}

/** `dev_t` of a major and minor number. Throws {@link DozoError} for one that no system has. */
function deviceNumber(major: number, minor: number): number {
  if (major > 0xffffffff || minor > 0xffffffff) throw new DozoError(`device number ${major}:${minor} does not exist`);
  return makeDevice(major, minor);
}
