/**
 * File locks. `flock` locks belong to the open file: several descriptors of one process exclude each other. Record locks
 * (`fcntl`) belong to the process and vanish when it closes any descriptor of the file.
 */
import { viewOf } from "../base/bytes.ts";
import { Errno } from "./errno.ts";
import { failedOn } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";

/** Several may share a lock, only one can have it exclusively. */
export type LockKind = "shared" | "exclusive";

const FLOCK = { shared: 1, exclusive: 2, unlock: 8, nonblocking: 4 } as const;
const F_GETLK = 5;
const F_SETLK = 6;
const RECORD = { shared: 0, exclusive: 1, unlock: 2 } as const;
const POLL_FIRST_MS = 2;
const POLL_MAX_MS = 100;

// `struct flock` of 64-bit Linux: type, whence, start, length, pid.
const record = new Uint8Array(32);
const view = viewOf(record);

/** Takes or changes the `flock` lock of an open file without waiting; false when another holds it. */
export function tryFlock(fd: number, kind: LockKind): boolean {
  while (true) {
    if (libc().flock(fd, FLOCK[kind] | FLOCK.nonblocking) === 0) return true;
    const errno = lastErrno();
    if (errno === Errno.EAGAIN) return false;
    if (errno !== Errno.EINTR) throw failedOn("lock", fd, errno);
  }
}

/**
 * {@link tryFlock} that asks again for up to `waitMs` milliseconds (default: as long as it takes; 0: once).
 * False when the time is over. Waiting neither blocks this thread nor occupies another one.
 */
export async function flock(
  fd: number,
  kind: LockKind,
  options: { waitMs?: number; signal?: AbortSignal } = {},
): Promise<boolean> {
  const { waitMs = Infinity, signal } = options;
  const end = performance.now() + waitMs;
  for (let pause = POLL_FIRST_MS;; pause = Math.min(2 * pause, POLL_MAX_MS)) {
    signal?.throwIfAborted();
    if (tryFlock(fd, kind)) return true;
    const left = end - performance.now();
    if (left <= 0) return false;
    await new Promise((resolve) => setTimeout(resolve, Math.min(pause, left)));
  }
}

/** Gives the `flock` lock up; closing the last descriptor of the open file does the same. */
export function unlockFlock(fd: number): void {
  if (libc().flock(fd, FLOCK.unlock) !== 0) throw failedOn("unlock", fd, lastErrno());
}

/**
 * Takes or changes this process's record lock over the whole file without waiting; false when another process holds it.
 * The file must be open for reading (shared) or writing (exclusive).
 */
export function tryRecordLock(fd: number, kind: LockKind): boolean {
  while (true) {
    putRecord(RECORD[kind]);
    if (libc().fcntl(fd, F_SETLK, record) === 0) return true;
    const errno = lastErrno();
    if (errno === Errno.EAGAIN || errno === Errno.EACCES) return false;
    if (errno !== Errno.EINTR) throw failedOn("lock", fd, errno);
  }
}

/** Gives this process's record lock up. */
export function unlockRecord(fd: number): void {
  putRecord(RECORD.unlock);
  if (libc().fcntl(fd, F_SETLK, record) !== 0) throw failedOn("unlock", fd, lastErrno());
}

/** Process id of one that keeps this process from a record lock of that kind; null when nobody does. */
export function recordLockHolder(fd: number, kind: LockKind): number | null {
  putRecord(RECORD[kind]);
  if (libc().fcntl(fd, F_GETLK, record) !== 0) throw failedOn("examine the lock of", fd, lastErrno());
  return view.getInt16(0, true) === RECORD.unlock ? null : view.getInt32(24, true);
}

function putRecord(kind: number): void {
  record.fill(0);
  view.setInt16(0, kind, true);
}
