/** Changing owner, permissions and times. Errors are {@link FsError}. */
import { viewOf } from "../base/bytes.ts";
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, type FileName } from "./file_name.ts";
import { failedAt, failedOn, usable } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";
import { AtFlag } from "./open_flags.ts";

/** A time in seconds since 1970 (negative before) and nanoseconds (0 to 999 999 999), or the present. */
export type FileTime = { readonly sec: number; readonly nsec: number } | "now";

/** Times to set; one that is not given stays. */
export interface FileTimes {
  readonly atime?: FileTime;
  readonly mtime?: FileTime;
}

const UTIME_NOW = 0x3fffffff;
const UTIME_OMIT = 0x3ffffffe;
const times = new Uint8Array(32);
const view = viewOf(times);

/** Sets owner and group of an open file; -1 leaves one as it is. Clears capabilities and set-id bits. */
export function fchown(fd: number, uid: number, gid: number): void {
  if (libc().fchown(fd, uid >>> 0, gid >>> 0) !== 0) throw failedOn("set the owner of", fd, lastErrno());
}

/** Sets owner and group of an entry, of a symbolic link itself. -1 leaves one as it is. */
export function fchownat(
  dirfd: number,
  name: FileName,
  uid: number,
  gid: number,
  flags: number = AtFlag.SYMLINK_NOFOLLOW,
): void {
  const cName = usable(cString(name), "set the owner of", dirfd, name);
  if (libc().fchownat(dirfd, cName, uid >>> 0, gid >>> 0, flags) !== 0) {
    throw failedAt("set the owner of", dirfd, name, lastErrno());
  }
}

/** Sets the permission bits (all twelve) of an open file. */
export function fchmod(fd: number, mode: number): void {
  if (libc().fchmod(fd, mode & 0o7777) !== 0) throw failedOn("set the permissions of", fd, lastErrno());
}

/**
 * Sets the permission bits of an entry. This follows a symbolic link (Linux knows no other way): only for an entry that
 * was just made or is known to be none.
 */
export function fchmodat(dirfd: number, name: FileName, mode: number): void {
  const cName = usable(cString(name), "set the permissions of", dirfd, name);
  if (libc().fchmodat(dirfd, cName, mode & 0o7777, 0) !== 0) {
    throw failedAt("set the permissions of", dirfd, name, lastErrno());
  }
}

/** Sets the times of an open file. */
export function futimens(fd: number, { atime, mtime }: FileTimes): void {
  putTime(0, atime);
  putTime(16, mtime);
  if (libc().futimens(fd, times) !== 0) throw failedOn("set the times of", fd, lastErrno());
}

/** Sets the times of an entry, of a symbolic link itself unless `flags` are given as 0. */
export function utimensat(
  dirfd: number,
  name: FileName,
  { atime, mtime }: FileTimes,
  flags: number = AtFlag.SYMLINK_NOFOLLOW,
): void {
  const cName = usable(cString(name), "set the times of", dirfd, name);
  putTime(0, atime);
  putTime(16, mtime);
  if (libc().utimensat(dirfd, cName, times, flags) !== 0) {
    throw failedAt("set the times of", dirfd, name, lastErrno());
  }
}

/** Sets the access time of `path` to the present and leaves the modification time. False when there is no such file. */
export function touchAtime(path: FileName): boolean {
  const cName = usable(cString(path), "set the access time of", AT_FDCWD, path);
  putTime(0, "now");
  putTime(16, undefined);
  if (libc().utimensat(AT_FDCWD, cName, times, AtFlag.SYMLINK_NOFOLLOW) === 0) return true;
  const errno = lastErrno();
  if (errno === Errno.ENOENT) return false;
  throw failedAt("set the access time of", AT_FDCWD, path, errno);
}

function putTime(offset: number, time: FileTime | undefined): void {
  const { sec, nsec } = time === undefined
    ? { sec: 0, nsec: UTIME_OMIT }
    : time === "now"
    ? { sec: 0, nsec: UTIME_NOW }
    : time;
  view.setUint32(offset, sec >>> 0, true);
  view.setInt32(offset + 4, Math.floor(sec / 0x1_0000_0000), true);
  view.setUint32(offset + 8, nsec, true);
  view.setUint32(offset + 12, 0, true);
}
