/** Making, linking, renaming and removing directory entries. Errors are {@link FsError}. */
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, type FileName, secondCString } from "./file_name.ts";
import { failedAt, usable } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";
import { AtFlag } from "./open_flags.ts";

const TARGET_MAX = 4096;
const target = new Uint8Array(TARGET_MAX);

/** Makes a directory with `mode` less the umask. */
export function mkdirat(dirfd: number, name: FileName, mode = 0o777): void {
  const cName = usable(cString(name), "create directory", dirfd, name);
  if (libc().mkdirat(dirfd, cName, mode) !== 0) throw failedAt("create directory", dirfd, name, lastErrno());
}

/** Makes a device, FIFO, socket or file: `mode` with a {@link FileType}, `device` as of `makeDevice`. */
export function mknodat(dirfd: number, name: FileName, mode: number, device = 0): void {
  const cName = usable(cString(name), "create node", dirfd, name);
  if (libc().mknodat(dirfd, cName, mode, device) !== 0) throw failedAt("create node", dirfd, name, lastErrno());
}

/** Makes a hard link; a symbolic link at `from` is linked itself unless `flags` say `SYMLINK_FOLLOW`. */
export function linkat(fromDir: number, from: FileName, toDir: number, to: FileName, flags = 0): void {
  const cFrom = usable(cString(from), "link", fromDir, from);
  const cTo = usable(secondCString(to), "create link", toDir, to);
  if (libc().linkat(fromDir, cFrom, toDir, cTo, flags) !== 0) throw failedAt("create link", toDir, to, lastErrno());
}

/** Makes a symbolic link `name` with the text `text`. */
export function symlinkat(text: FileName, dirfd: number, name: FileName): void {
  const cText = usable(cString(text), "create symbolic link to", AT_FDCWD, text);
  const cName = usable(secondCString(name), "create symbolic link", dirfd, name);
  if (libc().symlinkat(cText, dirfd, cName) !== 0) throw failedAt("create symbolic link", dirfd, name, lastErrno());
}

/** The text of a symbolic link. An empty `name` means the link that `dirfd` was opened on with `O_PATH`. */
export function readlinkat(dirfd: number, name: FileName): Uint8Array<ArrayBuffer> {
  const cName = usable(cString(name), "read link", dirfd, name);
  const length = libc().readlinkat(dirfd, cName, target, TARGET_MAX);
  if (length < 0) throw failedAt("read link", dirfd, name, lastErrno());
  return target.slice(0, length);
}

/** Removes an entry; a directory with the flag `REMOVEDIR`. */
export function unlinkat(dirfd: number, name: FileName, flags = 0): void {
  const cName = usable(cString(name), "remove", dirfd, name);
  if (libc().unlinkat(dirfd, cName, flags) !== 0) throw failedAt("remove", dirfd, name, lastErrno());
}

/** Renames an entry. `flags` of {@link RenameFlag}: with `NOREPLACE` an existing target is an error (EEXIST). */
export function renameat2(fromDir: number, from: FileName, toDir: number, to: FileName, flags = 0): void {
  const cFrom = usable(cString(from), "rename", fromDir, from);
  const cTo = usable(secondCString(to), "rename to", toDir, to);
  if (libc().renameat2(fromDir, cFrom, toDir, cTo, flags) === 0) return;
  const errno = lastErrno();
  const missing = errno === Errno.ENOENT;
  throw missing ? failedAt("rename", fromDir, from, errno) : failedAt("rename to", toDir, to, errno);
}

/** {@link mkdirat} of a path. */
export function mkdir(path: FileName, mode = 0o777): void {
  mkdirat(AT_FDCWD, path, mode);
}

/** Removes a file. */
export function unlink(path: FileName): void {
  unlinkat(AT_FDCWD, path);
}

/** Removes an empty directory. */
export function rmdir(path: FileName): void {
  unlinkat(AT_FDCWD, path, AtFlag.REMOVEDIR);
}

/** Renames `from` to `to`, replacing it. */
export function rename(from: FileName, to: FileName): void {
  renameat2(AT_FDCWD, from, AT_FDCWD, to);
}

/** The text of a symbolic link. */
export function readlink(path: FileName): Uint8Array<ArrayBuffer> {
  return readlinkat(AT_FDCWD, path);
}
