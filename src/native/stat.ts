/** Attributes of files with nanosecond times, by `statx`. */
import { viewOf } from "../base/bytes.ts";
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, EMPTY_PATH, type FileName } from "./file_name.ts";
import { failedAt, failedOn, usable } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";
import { AtFlag } from "./open_flags.ts";

/** Attributes of a file. Times are seconds since 1970 (negative before) and nanoseconds (0 to 999 999 999) on top. */
export interface Stat {
  /** Device number of the file system, as `makedev` combines it. */
  readonly dev: number;
  /** Inode number: all 64 bits, as some file systems use them. */
  readonly ino: bigint;
  /** Type (see {@link FileType}) and permission bits. */
  readonly mode: number;
  readonly nlink: number;
  readonly uid: number;
  readonly gid: number;
  /** Device number of a device node. */
  readonly rdev: number;
  /** Bytes. */
  readonly size: number;
  /** Space in use, in units of 512 bytes. */
  readonly blocks: number;
  readonly blockSize: number;
  readonly atimeSec: number;
  readonly atimeNsec: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
  readonly ctimeSec: number;
  readonly ctimeNsec: number;
}

/** Type bits of {@link Stat.mode}. */
export const FileType = {
  MASK: 0o170000,
  SOCKET: 0o140000,
  SYMLINK: 0o120000,
  FILE: 0o100000,
  BLOCK_DEVICE: 0o060000,
  DIRECTORY: 0o040000,
  CHAR_DEVICE: 0o020000,
  FIFO: 0o010000,
} as const;

const STATX_BASIC_STATS = 0x7ff;
const buffer = new Uint8Array(256);
const view = viewOf(buffer);

/** Attributes of an open file (also one opened with `O_PATH`). */
export function fstat(fd: number): Stat {
  if (statx(fd, EMPTY_PATH, AtFlag.EMPTY_PATH) !== 0) throw failedOn("get the attributes of", fd, lastErrno());
  return fromBuffer();
}

/** Attributes of `name` in the directory `dirfd`; a symbolic link is not followed unless `flags` are given as 0. */
export function fstatat(dirfd: number, name: FileName, flags: number = AtFlag.SYMLINK_NOFOLLOW): Stat {
  const cName = usable(cString(name), "get the attributes of", dirfd, name);
  if (statx(dirfd, cName, flags) !== 0) throw failedAt("get the attributes of", dirfd, name, lastErrno());
  return fromBuffer();
}

/** {@link fstatat}, or null when there is no such entry (ENOENT, ENOTDIR): no error object is made for it. */
export function fstatatOrNull(
  dirfd: number,
  name: FileName,
  flags: number = AtFlag.SYMLINK_NOFOLLOW,
): Stat | null {
  const cName = usable(cString(name), "get the attributes of", dirfd, name);
  if (statx(dirfd, cName, flags) === 0) return fromBuffer();
  const errno = lastErrno();
  if (errno === Errno.ENOENT || errno === Errno.ENOTDIR) return null;
  throw failedAt("get the attributes of", dirfd, name, errno);
}

/** Attributes of `path`, of the link itself where it is a symbolic link. */
export function lstat(path: FileName): Stat {
  return fstatat(AT_FDCWD, path);
}

/** {@link lstat}, or null when there is no such file. */
export function lstatOrNull(path: FileName): Stat | null {
  return fstatatOrNull(AT_FDCWD, path);
}

/** Attributes of what `path` leads to. */
export function stat(path: FileName): Stat {
  return fstatat(AT_FDCWD, path, 0);
}

/** Device number of a pair, as glibc's `makedev`. */
export function makeDevice(major: number, minor: number): number {
  return (Math.floor(major / 4096) * 0x1000_0000_0000) + (Math.floor(minor / 256) * 0x10_0000) +
    ((major & 0xfff) << 8) + (minor & 0xff);
}

/** Major part of a device number. */
export function majorOf(device: number): number {
  return (Math.floor(device / 0x1000_0000_0000) * 4096) + (Math.floor(device / 256) & 0xfff);
}

/** Minor part of a device number. */
export function minorOf(device: number): number {
  return (Math.floor(device / 0x10_0000) % 0x100_0000) * 256 + (device & 0xff);
}

function statx(dirfd: number, name: Uint8Array<ArrayBuffer>, flags: number): number {
  return libc().statx(dirfd, name, flags | AtFlag.NO_AUTOMOUNT, STATX_BASIC_STATS, buffer);
}

// Offsets of `struct statx`, the same on every processor.
function fromBuffer(): Stat {
  return {
    dev: makeDevice(view.getUint32(136, true), view.getUint32(140, true)),
    ino: view.getBigUint64(32, true),
    mode: view.getUint16(28, true),
    nlink: view.getUint32(16, true),
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    rdev: makeDevice(view.getUint32(128, true), view.getUint32(132, true)),
    size: signed64(40),
    blocks: signed64(48),
    blockSize: view.getUint32(4, true),
    atimeSec: signed64(64),
    atimeNsec: view.getUint32(72, true),
    mtimeSec: signed64(112),
    mtimeNsec: view.getUint32(120, true),
    ctimeSec: signed64(96),
    ctimeNsec: view.getUint32(104, true),
  };
}

function signed64(offset: number): number {
  return view.getInt32(offset + 4, true) * 0x1_0000_0000 + view.getUint32(offset, true);
}
