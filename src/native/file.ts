/** Open files: open, read, write, close. Errors are {@link FsError}. */
import { Errno } from "./errno.ts";
import { AT_FDCWD, cString, type FileName } from "./file_name.ts";
import { failedAt, failedOn, usable } from "./fs_error.ts";
import { ioSlots } from "./in_flight.ts";
import { lastErrno, libc } from "./libc.ts";
import { ffiBytes, holding } from "./library.ts";
import { OpenFlag } from "./open_flags.ts";

/** Opens `path` with {@link OpenFlag}s (and mode bits, less the umask, for a new file). Returns the descriptor. */
export function open(path: FileName, flags: number, mode = 0o666): number {
  return openat(AT_FDCWD, path, flags, mode);
}

/** {@link open} of `name` in the directory `dirfd`. */
export function openat(dirfd: number, name: FileName, flags: number, mode = 0o666): number {
  const cName = usable(cString(name), "open", dirfd, name);
  while (true) {
    const fd = libc().openat(dirfd, cName, flags | OpenFlag.CLOEXEC, mode);
    if (fd >= 0) return fd;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) throw failedAt("open", dirfd, name, errno);
  }
}

/**
 * Closes a descriptor. Throws when the system reports an error that it had kept for this moment (a network file system
 * does); the descriptor is closed all the same.
 */
export function close(fd: number): void {
  if (libc().close(fd) === 0) return;
  const errno = lastErrno();
  if (errno !== Errno.EINTR) throw failedOn("close", fd, errno);
}

/** Another descriptor for the same open file. */
export function dup(fd: number): number {
  return checked("duplicate", fd, () => libc().dup(fd));
}

/** Reads at the file's position into `buffer`; returns the bytes read, 0 at the end. */
export function read(fd: number, buffer: Uint8Array): number {
  const bytes = ffiBytes(buffer);
  return checked("read", fd, () => libc().read(fd, bytes, bytes.length));
}

/** Reads at `offset` into `buffer` without moving the position; returns the bytes read, 0 at the end. */
export function pread(fd: number, buffer: Uint8Array, offset: number): number {
  const bytes = ffiBytes(buffer);
  return checked("read", fd, () => libc().pread(fd, bytes, bytes.length, offset));
}

/** Reads from the position until `buffer` is full or the file ends; returns the bytes read. */
export function readFull(fd: number, buffer: Uint8Array): number {
  let length = 0;
  while (length < buffer.length) {
    const count = read(fd, length === 0 ? buffer : buffer.subarray(length));
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** {@link read} on another thread; for pipes and terminals as well. `buffer` must not be touched until it is settled. */
export function readAsync(fd: number, buffer: Uint8Array): Promise<number> {
  const bytes = ffiBytes(buffer);
  return settled(libc().readNonblocking(fd, bytes, bytes.length), bytes, () => read(fd, buffer));
}

/** {@link pread} on another thread, at most eight at a time. `buffer` must not be touched until it is settled. */
export function preadAsync(fd: number, buffer: Uint8Array, offset: number): Promise<number> {
  const bytes = ffiBytes(buffer);
  return ioSlots.run(() =>
    settled(libc().preadNonblocking(fd, bytes, bytes.length, offset), bytes, () => pread(fd, buffer, offset))
  );
}

/** Reads at `offset` on another thread until `buffer` is full or the file ends; returns the bytes read. */
export async function preadFullAsync(fd: number, buffer: Uint8Array, offset: number): Promise<number> {
  let length = 0;
  while (length < buffer.length) {
    const count = await preadAsync(fd, length === 0 ? buffer : buffer.subarray(length), offset + length);
    if (count === 0) break;
    length += count;
  }
  return length;
}

/** Writes at the file's position; returns the bytes written, which may be fewer than given. */
export function write(fd: number, data: Uint8Array): number {
  const bytes = ffiBytes(data);
  return checked("write", fd, () => libc().write(fd, bytes, bytes.length));
}

/** Writes all of `data` at the file's position. */
export function writeAll(fd: number, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += write(fd, at === 0 ? data : data.subarray(at));
}

/** Writes at `offset` without moving the position; returns the bytes written, which may be fewer than given. */
export function pwrite(fd: number, data: Uint8Array, offset: number): number {
  const bytes = ffiBytes(data);
  return checked("write", fd, () => libc().pwrite(fd, bytes, bytes.length, offset));
}

/** Writes all of `data` at `offset` on another thread, at most eight at a time. `data` must not change meanwhile. */
export async function pwriteAsync(fd: number, data: Uint8Array, offset: number): Promise<void> {
  await ioSlots.run(async () => {
    for (let at = 0; at < data.length;) {
      const rest = ffiBytes(at === 0 ? data : data.subarray(at));
      const position = offset + at;
      at += await settled(
        libc().pwriteNonblocking(fd, rest, rest.length, position),
        rest,
        () => pwrite(fd, rest, position),
      );
    }
  });
}

// The error number of another thread is out of reach: the call is made again on this one, which fails the same way and
// tells why, or succeeds because the reason (an interruption, a full disk) has gone.
async function settled(call: Promise<number>, buffer: Uint8Array, again: () => number): Promise<number> {
  const result = await holding(call, buffer);
  return result >= 0 ? result : again();
}

function checked(action: string, fd: number, call: () => number): number {
  while (true) {
    const result = call();
    if (result >= 0) return result;
    const errno = lastErrno();
    if (errno !== Errno.EINTR) throw failedOn(action, fd, errno);
  }
}
