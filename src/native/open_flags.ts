/** Flags of `open` and of the `*at` calls, as numbers of the processor at hand. */

const arm = Deno.build.arch === "aarch64";

/** Flags of `open`, to be combined with `|`. `O_CLOEXEC` is always added. */
export const OpenFlag = {
  READ: 0,
  WRITE: 1,
  READ_WRITE: 2,
  CREATE: 0o100,
  EXCLUSIVE: 0o200,
  NO_CTTY: 0o400,
  TRUNCATE: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DSYNC: 0o10000,
  SYNC: 0o4010000,
  DIRECT: arm ? 0o200000 : 0o40000,
  DIRECTORY: arm ? 0o40000 : 0o200000,
  /** Fail with ELOOP when the last part of the path is a symbolic link. */
  NOFOLLOW: arm ? 0o100000 : 0o400000,
  /** Leave the access time alone; only for the owner and root (EPERM otherwise). */
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  /** A handle that can be asked for its attributes but not read: also for links, devices and sockets. */
  PATH: 0o10000000,
  /** A file without a name in the given directory. */
  TMPFILE: arm ? 0o20040000 : 0o20200000,
} as const;

/** Flags of the `*at` calls. */
export const AtFlag = {
  SYMLINK_NOFOLLOW: 0x100,
  /** `unlinkat`: remove a directory. */
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  /** Do not mount an automount point. */
  NO_AUTOMOUNT: 0x800,
  /** An empty name means the descriptor itself. */
  EMPTY_PATH: 0x1000,
} as const;

/** Flags of {@link renameat2}. */
export const RenameFlag = { NOREPLACE: 1, EXCHANGE: 2 } as const;
