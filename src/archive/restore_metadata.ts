/** Applies an entry's metadata to what was just created (`spec/pxar.md` §12). */
import { DozoError, errorMessage } from "../base/errors.ts";
import type { Metadata } from "../formats/pxar/mod.ts";
import {
  fchmod,
  fchown,
  fchownat,
  FsError,
  fsetxattr,
  futimens,
  getFlags,
  setFatAttributes,
  setFlags,
  setProjectId,
  utimensat,
} from "../native/fs.ts";
import { accessXattr, defaultXattr } from "./acl.ts";
import { fatFromFlags, type Features, INITIAL_FLAGS, INODE_BITS, inodeFromFlags } from "./features.ts";
import { JobStep } from "./file_worker.ts";
import { storedXattr } from "./source_metadata.ts";

const text = new TextEncoder();
const FCAPS = text.encode("security.capability");
const ACCESS = text.encode("system.posix_acl_access");
const DEFAULT = text.encode("system.posix_acl_default");

const EPERM = 1;
const EOPNOTSUPP = 95;

const UNSUPPORTED = new Set(["EOPNOTSUPP", "ENOTSUP", "ENOTTY", "ENOSYS", "EINVAL"]);

/** Restores metadata in the order in which one step does not undo another: owner first, immutable last. */
export class MetadataRestorer {
  readonly #features: Features;
  readonly #warn: (line: string) => void;
  /** Kinds of attributes that this user may not set, with how often it was tried. */
  readonly #denied = new Map<string, number>();

  constructor(features: Features, warn: (line: string) => void) {
    this.#features = features;
    this.#warn = warn;
  }

  /** Inode flags that only take effect on an empty file. */
  applyInitialFlags(fd: number, metadata: Metadata): void {
    const flags = metadata.flags & INITIAL_FLAGS & this.#features.inodeFlags;
    if (flags === 0) return;
    this.#ignoring(UNSUPPORTED, () => setFlags(fd, (getFlags(fd) ?? 0) & ~INODE_BITS | inodeFromFlags(flags)));
  }

  /** Everything for the open file or directory `fd`. Throws {@link DozoError} saying which attribute failed. */
  applyTo(fd: number, metadata: Metadata, warn: (problem: string) => void): void {
    const { mode } = metadata;
    if (mode > 0xffffffff) throw new DozoError(`mode ${mode.toString(8)} is not one that a file can have`);
    this.#owner(() => fchown(fd, metadata.uid, metadata.gid));
    if (this.#features.xattrs && metadata.xattrs) this.#xattrs(fd, metadata, warn);
    if (this.#features.fcaps && metadata.fcaps) {
      const { fcaps } = metadata;
      this.#step("file capabilities", () => fsetxattr(fd, FCAPS, fcaps));
    }
    if (this.#features.acls && metadata.acl) this.#acls(fd, metadata, warn);
    if (this.#features.projectId && metadata.projectId) {
      const id = metadata.projectId;
      this.#step("quota project id", () => setProjectId(fd, id), UNSUPPORTED);
    }
    if (this.#features.permissions) this.#step("permissions", () => fchmod(fd, mode & 0o7777));
    this.#step("mtime", () => futimens(fd, { mtime: timeOf(metadata) }));
    const flags = metadata.flags & this.#features.inodeFlags;
    if (flags !== 0) this.#flags(fd, flags);
    const fat = metadata.flags & this.#features.fatFlags;
    if (fat !== 0) this.#step("FAT attributes", () => setFatAttributes(fd, fatFromFlags(fat)), UNSUPPORTED);
  }

  /** Everything that a symlink, device, fifo or socket can have: owner, permissions, mtime. */
  applyToName(directory: number, name: Uint8Array, metadata: Metadata, chmod?: (mode: number) => void): void {
    this.#owner(() => fchownat(directory, name, metadata.uid, metadata.gid));
    if (chmod && this.#features.permissions) this.#step("permissions", () => chmod(metadata.mode & 0o7777));
    this.#step("mtime", () => utimensat(directory, name, { mtime: timeOf(metadata) }));
  }

  /** Whether a failed {@link JobStep} of a queued file is no error: the same that {@link applyTo} passes over or counts. */
  passesOver(step: number, errno: number): boolean {
    const what = step === JobStep.Owner ? "owner" : step === JobStep.Permissions ? "permissions" : "mtime";
    if (step < JobStep.Owner || step > JobStep.Mtime) return false;
    if (errno === EOPNOTSUPP) return true;
    if (errno !== EPERM) return false;
    this.#denied.set(what, (this.#denied.get(what) ?? 0) + 1);
    return true;
  }

  /** Says in one line each what could not be set because this user may not. */
  reportDenied(): void {
    for (const [what, count] of this.#denied) {
      this.#warn(`could not restore the ${what} of ${count} entries: only root may set it`);
    }
  }

  #owner(change: () => void): void {
    if (this.#features.ownership) this.#step("owner", change);
  }

  #flags(fd: number, flags: number): void {
    this.#step("inode flags", () => {
      const current = getFlags(fd);
      if (current === null) return;
      const wanted = current & ~INODE_BITS | inodeFromFlags(flags);
      if (wanted !== current) setFlags(fd, wanted);
    }, UNSUPPORTED);
  }

  #xattrs(fd: number, metadata: Metadata, warn: (problem: string) => void): void {
    for (const { name, value } of metadata.xattrs ?? []) {
      if (storedXattr(name)) this.#step("extended attributes", () => fsetxattr(fd, name, value));
      else warn(`extended attribute ${JSON.stringify(new TextDecoder().decode(name))} is not one that is restored`);
    }
  }

  #acls(fd: number, metadata: Metadata, warn: (problem: string) => void): void {
    const acl = metadata.acl;
    if (!acl) return;
    const { value, lossy } = accessXattr(acl, metadata.mode);
    if (lossy) warn("ACL has no entry for the owning group: it gets the rights of the mask");
    this.#step("ACL", () => fsetxattr(fd, ACCESS, value));
    const standard = defaultXattr(acl);
    if (standard) this.#step("default ACL", () => fsetxattr(fd, DEFAULT, standard));
  }

  /** One step; what the file system does not have is passed over, what only root may do is counted. */
  #step(what: string, action: () => void, unsupported?: Set<string>): void {
    try {
      action();
    } catch (error) {
      if (error instanceof FsError) {
        if (error.code === "EOPNOTSUPP" || error.code === "ENOTSUP" || unsupported?.has(error.code)) return;
        if (error.code === "EPERM") {
          this.#denied.set(what, (this.#denied.get(what) ?? 0) + 1);
          return;
        }
      }
      throw new DozoError(`cannot restore the ${what}: ${errorMessage(error)}`, { cause: error });
    }
  }

  #ignoring(codes: Set<string>, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof FsError && (codes.has(error.code) || error.code === "EPERM"))) throw error;
    }
  }
}

function timeOf({ mtimeSec, mtimeNsec }: Metadata): { sec: number; nsec: number } {
  if (mtimeNsec >= 1_000_000_000) throw new DozoError(`${mtimeNsec} nanoseconds`);
  return { sec: mtimeSec, nsec: mtimeNsec };
}
