/** Extended attributes; ACLs and capabilities are among them in the kernel's binary form. Errors are {@link FsError}. */
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, type FileName, printableName, secondCString } from "./file_name.ts";
import { failedAt, failedOn, type FsError, usable } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";
import { ffiBytes } from "./library.ts";

/** Flags of setting an attribute: it must not exist yet (EEXIST), or must exist already (ENODATA). */
export const XattrFlag = { CREATE: 1, REPLACE: 2 } as const;

const NONE: readonly Uint8Array<ArrayBuffer>[] = [];
// The kernel allows 64 KiB for a value and for the list of names.
const buffer = new Uint8Array(65536);

/** Attribute names of an open file in the kernel's order; none where the file system knows no attributes. */
export function flistxattr(fd: number): readonly Uint8Array<ArrayBuffer>[] {
  const length = libc().flistxattr(fd, buffer, buffer.length);
  if (length >= 0) return length === 0 ? NONE : namesIn(length);
  const errno = lastErrno();
  if (errno === Errno.EOPNOTSUPP) return NONE;
  throw failedOn("list the extended attributes of", fd, errno);
}

/** {@link flistxattr} of a path, of a symbolic link itself. */
export function llistxattr(path: FileName): readonly Uint8Array<ArrayBuffer>[] {
  const cPath = usable(cString(path), "list the extended attributes of", AT_FDCWD, path);
  const length = libc().llistxattr(cPath, buffer, buffer.length);
  if (length >= 0) return length === 0 ? NONE : namesIn(length);
  const errno = lastErrno();
  if (errno === Errno.EOPNOTSUPP) return NONE;
  throw failedAt("list the extended attributes of", AT_FDCWD, path, errno);
}

/** Value of an attribute of an open file; null when it has none of that name (or the file system knows none). */
export function fgetxattr(fd: number, name: FileName): Uint8Array<ArrayBuffer> | null {
  const length = libc().fgetxattr(fd, attributeName(cString(name), name), buffer, buffer.length);
  if (length >= 0) return buffer.slice(0, length);
  const errno = lastErrno();
  if (isAbsent(errno)) return null;
  throw failedOn(`read attribute ${printableName(name)} of`, fd, errno);
}

/** {@link fgetxattr} of a path, of a symbolic link itself. */
export function lgetxattr(path: FileName, name: FileName): Uint8Array<ArrayBuffer> | null {
  const cPath = usable(cString(path), "read an attribute of", AT_FDCWD, path);
  const length = libc().lgetxattr(cPath, attributeName(secondCString(name), name), buffer, buffer.length);
  if (length >= 0) return buffer.slice(0, length);
  const errno = lastErrno();
  if (isAbsent(errno)) return null;
  throw failedOnPath("read", name, path, errno);
}

/** Sets an attribute of an open file; `flags` of {@link XattrFlag}. */
export function fsetxattr(fd: number, name: FileName, value: Uint8Array, flags = 0): void {
  const cName = attributeName(cString(name), name);
  if (libc().fsetxattr(fd, cName, ffiBytes(value), value.length, flags) === 0) return;
  throw failedOn(`set attribute ${printableName(name)} of`, fd, lastErrno());
}

/** {@link fsetxattr} of a path, of a symbolic link itself. */
export function lsetxattr(path: FileName, name: FileName, value: Uint8Array, flags = 0): void {
  const cPath = usable(cString(path), "set an attribute of", AT_FDCWD, path);
  const cName = attributeName(secondCString(name), name);
  if (libc().lsetxattr(cPath, cName, ffiBytes(value), value.length, flags) === 0) return;
  throw failedOnPath("set", name, path, lastErrno());
}

/** Removes an attribute of an open file; false when it has none of that name. */
export function fremovexattr(fd: number, name: FileName): boolean {
  if (libc().fremovexattr(fd, attributeName(cString(name), name)) === 0) return true;
  const errno = lastErrno();
  if (isAbsent(errno)) return false;
  throw failedOn(`remove attribute ${printableName(name)} of`, fd, errno);
}

/** {@link fremovexattr} of a path, of a symbolic link itself. */
export function lremovexattr(path: FileName, name: FileName): boolean {
  const cPath = usable(cString(path), "remove an attribute of", AT_FDCWD, path);
  if (libc().lremovexattr(cPath, attributeName(secondCString(name), name)) === 0) return true;
  const errno = lastErrno();
  if (isAbsent(errno)) return false;
  throw failedOnPath("remove", name, path, errno);
}

function isAbsent(errno: number): boolean {
  return errno === Errno.ENODATA || errno === Errno.EOPNOTSUPP;
}

function attributeName(prepared: ReturnType<typeof cString>, name: FileName): Uint8Array<ArrayBuffer> {
  return usable(prepared, "use the attribute name", AT_FDCWD, name);
}

function failedOnPath(verb: string, name: FileName, path: FileName, errno: number): FsError {
  return failedAt(`${verb} attribute ${printableName(name)} of`, AT_FDCWD, path, errno);
}

function namesIn(length: number): Uint8Array<ArrayBuffer>[] {
  const names: Uint8Array<ArrayBuffer>[] = [];
  for (let start = 0; start < length;) {
    const end = buffer.indexOf(0, start);
    names.push(buffer.slice(start, end));
    start = end + 1;
  }
  return names;
}
