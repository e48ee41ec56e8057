/**
 * The file system as Linux has it: names are bytes, times have nanoseconds, directories are walked by descriptor.
 * Every error is an {@link FsError} with `code` (such as `ENOENT`) and the path. Calls are synchronous and cost about
 * a microsecond more than the system call; those named `…Async` run on another thread.
 */
export { AT_FDCWD, type FileName, printableName } from "./file_name.ts";
export { AtFlag, OpenFlag, RenameFlag } from "./open_flags.ts";
export { FsError, hasCode } from "./fs_error.ts";
export {
  close,
  dup,
  open,
  openat,
  pread,
  preadAsync,
  preadFullAsync,
  pwrite,
  pwriteAsync,
  read,
  readAsync,
  readFull,
  write,
  writeAll,
} from "./file.ts";
export {
  FileType,
  fstat,
  fstatat,
  fstatatOrNull,
  lstat,
  lstatOrNull,
  majorOf,
  makeDevice,
  minorOf,
  type Stat,
  stat,
} from "./stat.ts";
export { type DirectoryEntry, EntryType, readDir, readDirSome } from "./directory.ts";
export {
  linkat,
  mkdir,
  mkdirat,
  mknodat,
  readlink,
  readlinkat,
  rename,
  renameat2,
  rmdir,
  symlinkat,
  unlink,
  unlinkat,
} from "./entries.ts";
export {
  fchmod,
  fchmodat,
  fchown,
  fchownat,
  type FileTime,
  type FileTimes,
  futimens,
  touchAtime,
  utimensat,
} from "./attributes.ts";
export {
  fgetxattr,
  flistxattr,
  fremovexattr,
  fsetxattr,
  lgetxattr,
  llistxattr,
  lremovexattr,
  lsetxattr,
  XattrFlag,
} from "./xattr.ts";
export { getFatAttributes, getFlags, getProjectId, setFatAttributes, setFlags, setProjectId } from "./inode_flags.ts";
export { fdatasync, fdatasyncAsync, fsync, fsyncAsync, syncDirectory, syncfs } from "./sync.ts";
export {
  Advice,
  advise,
  copyFileRange,
  fallocate,
  type FileSystemStatus,
  ftruncate,
  lseek,
  seekData,
  seekHole,
  statfs,
} from "./space.ts";
