/**
 * Inode flags, project ids and FAT attributes, by `ioctl` on an open regular file or directory. A file system that does
 * not know them is no error when reading: the answer is null.
 */
import { viewOf } from "../base/bytes.ts";
import { Errno } from "./errno.ts";
import { failedOn } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";

const FS_IOC_GETFLAGS = 0x8008_6601;
const FS_IOC_SETFLAGS = 0x4008_6602;
const FS_IOC_FSGETXATTR = 0x801c_581f;
const FS_IOC_FSSETXATTR = 0x401c_5820;
const FAT_IOCTL_GET_ATTRIBUTES = 0x8004_7210;
const FAT_IOCTL_SET_ATTRIBUTES = 0x4004_7211;

const PROJECT_ID_OFFSET = 12;
// Room for a C `long`: the flags calls are declared with one, though they move 32 bits.
const argument = new Uint8Array(32);
const view = viewOf(argument);

/** Inode flags (`FS_APPEND_FL` …, as `lsattr` shows them). */
export function getFlags(fd: number): number | null {
  return request(fd, FS_IOC_GETFLAGS, "read the inode flags of") ? view.getUint32(0, true) : null;
}

/** Sets the inode flags. Some need root; unknown ones are refused (EOPNOTSUPP). */
export function setFlags(fd: number, flags: number): void {
  argument.fill(0);
  view.setUint32(0, flags, true);
  demand(fd, FS_IOC_SETFLAGS, "set the inode flags of");
}

/** Project id for quotas; null where the file system has none. */
export function getProjectId(fd: number): number | null {
  return request(fd, FS_IOC_FSGETXATTR, "read the project id of") ? view.getUint32(PROJECT_ID_OFFSET, true) : null;
}

/** Sets the project id and leaves the other extended inode attributes. */
export function setProjectId(fd: number, id: number): void {
  demand(fd, FS_IOC_FSGETXATTR, "read the project id of");
  view.setUint32(PROJECT_ID_OFFSET, id, true);
  demand(fd, FS_IOC_FSSETXATTR, "set the project id of");
}

/** FAT attributes (hidden 2, system 4, archive 32); null where the file system is no FAT. */
export function getFatAttributes(fd: number): number | null {
  return request(fd, FAT_IOCTL_GET_ATTRIBUTES, "read the FAT attributes of") ? view.getUint32(0, true) : null;
}

/** Sets the FAT attributes. */
export function setFatAttributes(fd: number, attributes: number): void {
  view.setUint32(0, attributes, true);
  demand(fd, FAT_IOCTL_SET_ATTRIBUTES, "set the FAT attributes of");
}

function request(fd: number, code: number, action: string): boolean {
  argument.fill(0);
  if (libc().ioctl(fd, code, argument) === 0) return true;
  const errno = lastErrno();
  // ENOTTY: no such ioctl here; the others are what overlay, FUSE and old drivers answer instead.
  if (errno === Errno.ENOTTY || errno === Errno.EOPNOTSUPP || errno === Errno.ENOSYS || errno === Errno.EINVAL) {
    return false;
  }
  throw failedOn(action, fd, errno);
}

function demand(fd: number, code: number, action: string): void {
  if (libc().ioctl(fd, code, argument) !== 0) throw failedOn(action, fd, lastErrno());
}
