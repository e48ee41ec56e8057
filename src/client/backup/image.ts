/** Uploads a block device or image file in chunks of equal size. */
import { DozoError } from "../../base/errors.ts";
import { FixedChunker } from "../../formats/fixed_chunker.ts";
import { close, lseek, open, preadAsync } from "../../native/fs.ts";
import { plainCutter } from "../upload/chunk_cutter.ts";
import type { BackupRun } from "./run.ts";
import type { BackupSpec } from "./spec.ts";

/** Chunk size of images that servers accept (`spec/index-formats.md` §1). */
const IMAGE_CHUNK = 4 * 1024 * 1024;
const O_RDONLY = 0;
const O_CLOEXEC = 0o2000000;
const SEEK_SET = 0;
const SEEK_END = 2;

/** Sends all of the image as it was long when it was opened. Returns its size in bytes. */
export async function uploadImage(run: BackupRun, spec: BackupSpec): Promise<number> {
  const name = `${spec.target}.fidx`;
  const fd = open(spec.path, O_RDONLY | O_CLOEXEC);
  try {
    const size = lseek(fd, 0, SEEK_END);
    lseek(fd, 0, SEEK_SET);
    if (size === 0) throw new DozoError(`'${spec.path}' is empty: an image needs at least one byte`);
    await run.previous?.index(name);
    const upload = await run.startFixed(name, plainCutter(new FixedChunker(IMAGE_CHUNK)), IMAGE_CHUNK, size);
    await upload.guard(async () => {
      for (let offset = 0; offset < size;) {
        run.signal?.throwIfAborted();
        const memory = upload.sink.reserve(size - offset);
        const count = await preadAsync(fd, memory, offset);
        if (count === 0) throw new DozoError(`'${spec.path}' became shorter while it was read (${offset} of ${size})`);
        offset += count;
        const room = upload.sink.commit(count);
        if (room) await room;
      }
    });
    (await upload.finish()).forEach(run.log);
    return size;
  } finally {
    close(fd);
  }
}
