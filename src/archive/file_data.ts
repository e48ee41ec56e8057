/** Moves the content of a file into an archive: straight into the sink's memory, exactly as many bytes as announced. */
import { Advice, advise, close, preadAsync, read } from "../native/fs.ts";
import type { ArchiveSink } from "../formats/pxar/mod.ts";

/** Files up to this many bytes are read without leaving the thread; a thread change costs more than the read. */
const SYNC_MAX = 512 * 1024;

/** Most bytes per read of a large file. */
const BLOCK_SIZE = 4 * 1024 * 1024;

/** How a file differed from the size that was announced for it. */
export type SizeChange = "grew" | "shrank";

const probe = new Uint8Array(1);

/**
 * Copies `size` bytes of `fd` into `sink` and closes `fd` whatever happens. A file that ends early is filled up with
 * zeros. `changed` is told when the file turns out to have another size. Returns a promise only where it has to wait.
 * Throws FsError when reading fails.
 */
export function copyFile(
  fd: number,
  size: number,
  sink: ArchiveSink,
  changed: (how: SizeChange) => void,
): void | Promise<void> {
  if (size > SYNC_MAX) return copyLarge(fd, size, sink, changed);
  let wait: void | Promise<void>;
  try {
    wait = copySmall(fd, size, sink, changed);
  } catch (error) {
    close(fd);
    throw error;
  }
  if (wait) return wait.finally(() => close(fd));
  close(fd);
}

function copySmall(
  fd: number,
  left: number,
  sink: ArchiveSink,
  changed: (how: SizeChange) => void,
): void | Promise<void> {
  while (left > 0) {
    const room = sink.reserve(left);
    const count = read(fd, room);
    const wait = sink.commit(count);
    if (count === 0) {
      changed("shrank");
      if (wait) return wait.then(() => fillZeros(left, sink));
      return fillZeros(left, sink);
    }
    left -= count;
    if (wait) return wait.then(() => copySmall(fd, left, sink, changed));
  }
  if (read(fd, probe) > 0) changed("grew");
}

async function copyLarge(
  fd: number,
  size: number,
  sink: ArchiveSink,
  changed: (how: SizeChange) => void,
): Promise<void> {
  try {
    advise(fd, Advice.SEQUENTIAL);
    let done = 0;
    while (done < size) {
      const room = sink.reserve(Math.min(BLOCK_SIZE, size - done));
      const count = await preadAsync(fd, room, done);
      const wait = sink.commit(count);
      if (wait) await wait;
      if (count === 0) {
        changed("shrank");
        return await fillZeros(size - done, sink);
      }
      done += count;
    }
    if (await preadAsync(fd, probe, size) > 0) changed("grew");
  } finally {
    close(fd);
  }
}

async function fillZeros(left: number, sink: ArchiveSink): Promise<void> {
  while (left > 0) {
    const room = sink.reserve(Math.min(BLOCK_SIZE, left));
    room.fill(0);
    left -= room.length;
    const wait = sink.commit(room.length);
    if (wait) await wait;
  }
}
