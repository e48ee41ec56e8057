/** Listing directories. */
import { viewOf } from "../base/bytes.ts";
import { failedOn } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";

/** One entry of a directory, never `.` or `..`. */
export interface DirectoryEntry {
  /** The name's bytes, a copy. */
  readonly name: Uint8Array<ArrayBuffer>;
  /** One of {@link EntryType}; `UNKNOWN` where the file system does not say (then ask `fstatat`). */
  readonly type: number;
}

/** Types in directory entries. */
export const EntryType = {
  UNKNOWN: 0,
  FIFO: 1,
  CHAR_DEVICE: 2,
  DIRECTORY: 4,
  BLOCK_DEVICE: 6,
  FILE: 8,
  SYMLINK: 10,
  SOCKET: 12,
} as const;

const DOT = 0x2e;
const NAME_OFFSET = 19;
const buffer = new Uint8Array(128 * 1024);
const view = viewOf(buffer);

/**
 * All entries of the open directory `fd` in the order of the file system, from its first one on.
 * For directories whose size is not known to be bounded, see {@link readDirSome}.
 */
export function readDir(fd: number): DirectoryEntry[] {
  if (libc().lseek(fd, 0, 0) < 0) throw failedOn("list", fd, lastErrno());
  const entries: DirectoryEntry[] = [];
  while (readDirSome(fd, entries));
  return entries;
}

/** Adds the next entries (about 4000 at most) from the position of `fd` to `entries`; false at the end. */
export function readDirSome(fd: number, entries: DirectoryEntry[]): boolean {
  const length = libc().getdents64(fd, buffer, buffer.length);
  if (length < 0) throw failedOn("list", fd, lastErrno());
  for (let at = 0; at < length; at += view.getUint16(at + 16, true)) {
    const start = at + NAME_OFFSET;
    let end = start;
    while (buffer[end] !== 0) end++;
    if (buffer[start] === DOT && (end === start + 1 || (end === start + 2 && buffer[start + 1] === DOT))) continue;
    entries.push({ name: buffer.slice(start, end), type: buffer[at + 18] });
  }
  return length > 0;
}
