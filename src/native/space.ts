/** Space: of file systems, and of holes and reserved ranges within files. Errors are {@link FsError}. */
import { readU64, viewOf } from "../base/bytes.ts";
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, type FileName } from "./file_name.ts";
import { failedAt, failedOn, usable } from "./fs_error.ts";
import { ioSlots } from "./in_flight.ts";
import { lastErrno, libc } from "./libc.ts";

/** What a file system says about itself; multiply blocks with {@link blockSize} for bytes. */
export interface FileSystemStatus {
  /** Magic number of the type, such as 0xEF53 for ext4. */
  readonly type: number;
  /** Bytes per block of the following counts. */
  readonly blockSize: number;
  readonly blocks: number;
  readonly blocksFree: number;
  /** Blocks that users other than root can have. */
  readonly blocksAvailable: number;
  /** Inodes; 0 where they are not counted. */
  readonly files: number;
  readonly filesFree: number;
  /** Longest file name in bytes. */
  readonly nameMax: number;
}

/** How the kernel should read ahead ({@link advise}). */
export const Advice = { NORMAL: 0, RANDOM: 1, SEQUENTIAL: 2, WILLNEED: 3, DONTNEED: 4 } as const;

const COPY_MAX = 1 << 30;
const buffer = new Uint8Array(120);
const view = viewOf(buffer);

/** Status of the file system that `target` (a path or descriptor) is on. */
export function statfs(target: FileName | number): FileSystemStatus {
  if (typeof target === "number") {
    if (libc().fstatfs(target, buffer) !== 0) {
      throw failedOn("get the status of the file system of", target, lastErrno());
    }
  } else {
    const cPath = usable(cString(target), "get the status of the file system of", AT_FDCWD, target);
    if (libc().statfs(cPath, buffer) !== 0) {
      throw failedAt("get the status of the file system of", AT_FDCWD, target, lastErrno());
    }
  }
  // Offsets of `struct statfs`, the same on both 64-bit processors.
  const fragment = readU64(view, 72);
  return {
    type: view.getUint32(0, true),
    blockSize: fragment > 0 ? fragment : readU64(view, 8),
    blocks: count(16),
    blocksFree: count(24),
    blocksAvailable: count(32),
    files: count(40),
    filesFree: count(48),
    nameMax: readU64(view, 64),
  };
}

/** Moves the file's position: `whence` 0 from the start, 1 from the position, 2 from the end. Returns the new one. */
export function lseek(fd: number, offset: number, whence: 0 | 1 | 2 = 0): number {
  return seek(fd, offset, whence) ?? fail("seek in", fd, Errno.ENXIO);
}

/** Start of the first data at or after `offset`; null when only a hole follows. Moves the position. */
export function seekData(fd: number, offset: number): number | null {
  return seek(fd, offset, 3);
}

/** Start of the first hole at or after `offset` (the end of the file counts as one); null beyond the end. */
export function seekHole(fd: number, offset: number): number | null {
  return seek(fd, offset, 4);
}

/** Sets the length of a file. */
export function ftruncate(fd: number, length: number): void {
  if (libc().ftruncate(fd, length) !== 0) throw failedOn("set the length of", fd, lastErrno());
}

/** Reserves space for a range, growing the file. False where the file system cannot reserve. */
export function fallocate(fd: number, offset: number, length: number): boolean {
  if (libc().fallocate(fd, 0, offset, length) === 0) return true;
  const errno = lastErrno();
  if (errno === Errno.EOPNOTSUPP) return false;
  return fail("reserve space for", fd, errno);
}

/** Tells the kernel how a range (`length` 0: to the end) will be used. Only a hint: nothing fails. */
export function advise(fd: number, advice: number, offset = 0, length = 0): void {
  libc().posix_fadvise(fd, offset, length, advice);
}

/**
 * Copies from the position of one file to that of another within the kernel, sharing blocks where it can, on another
 * thread. Returns the bytes copied, 0 at the end; null where these two files have to be read and written instead.
 */
export async function copyFileRange(fromFd: number, toFd: number, length: number): Promise<number | null> {
  const copied = await ioSlots.run(() =>
    libc().copy_file_range(fromFd, null, toFd, null, Math.min(length, COPY_MAX), 0)
  );
  return copied >= 0 ? copied : null;
}

function seek(fd: number, offset: number, whence: number): number | null {
  const position = Number(libc().lseek(fd, offset, whence));
  if (position >= 0) return position;
  const errno = lastErrno();
  return errno === Errno.ENXIO ? null : fail("seek in", fd, errno);
}

// Network file systems report counts near 2⁶⁴ for "unlimited".
function count(offset: number): number {
  const value = view.getBigUint64(offset, true);
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function fail(action: string, fd: number, errno: number): never {
  throw failedOn(action, fd, errno);
}
