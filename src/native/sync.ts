/** Bringing data to stable storage. */
import { Errno } from "./errno.ts";
import { close, open } from "./file.ts";
import type { FileName } from "./file_name.ts";
import { failedOn } from "./fs_error.ts";
import { ioSlots } from "./in_flight.ts";
import { lastErrno, libc } from "./libc.ts";
import { OpenFlag } from "./open_flags.ts";

// A failed sync is never repeated: the kernel reports lost data once, and the second call would succeed. As another
// thread's error number cannot be read, such a failure is reported as EIO.

/** Waits, blocking this thread, until content and attributes of a file (or the entries of a directory) are stored. */
export function fsync(fd: number): void {
  if (libc().fsync(fd) !== 0) throw failedOn("sync", fd, lastErrno());
}

/** {@link fsync} of the content and what is needed to read it. */
export function fdatasync(fd: number): void {
  if (libc().fdatasync(fd) !== 0) throw failedOn("sync", fd, lastErrno());
}

/** {@link fsync} on another thread. */
export function fsyncAsync(fd: number): Promise<void> {
  return succeeded(fd, () => libc().fsyncNonblocking(fd));
}

/** {@link fdatasync} on another thread. */
export function fdatasyncAsync(fd: number): Promise<void> {
  return succeeded(fd, () => libc().fdatasyncNonblocking(fd));
}

/** Waits until everything written to the file system of `target` (a path or descriptor) is stored. */
export async function syncfs(target: FileName | number): Promise<void> {
  if (typeof target === "number") return await succeeded(target, () => libc().syncfsNonblocking(target));
  const fd = open(target, OpenFlag.READ | OpenFlag.NONBLOCK);
  try {
    await succeeded(fd, () => libc().syncfsNonblocking(fd));
  } finally {
    close(fd);
  }
}

/** Waits until the entries of the directory `path` are stored (after a rename into it). */
export async function syncDirectory(path: FileName): Promise<void> {
  const fd = open(path, OpenFlag.READ | OpenFlag.DIRECTORY);
  try {
    await fsyncAsync(fd);
  } finally {
    close(fd);
  }
}

async function succeeded(fd: number, call: () => Promise<number>): Promise<void> {
  if (await ioSlots.run(call) !== 0) throw failedOn("sync", fd, Errno.EIO);
}
