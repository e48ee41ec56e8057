/** Restores an image: chunks are fetched ahead and written where they belong; zero chunks become holes in new files. */
import { unlinkSync } from "node:fs";
import { bytesEqual } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { chunkDigest, type CryptKey } from "../../formats/crypt_key.ts";
import { close, fsync, ftruncate, open, pwriteAsync } from "../../native/fs.ts";
import { ChunkStream } from "./chunk_stream.ts";
import { openOutput } from "./output.ts";
import { inParallel } from "./parallel.ts";
import type { IndexedArchive, SnapshotSource } from "./snapshot_source.ts";

/** What {@link restoreImage} needs besides the archive. */
export interface ImageRestoreOptions {
  readonly key?: CryptKey;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const CREATE_NEW = 0o1 | 0o100 | 0o200 | 0o2000000; // O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC
/** Chunks that are fetched, decoded or written at a time. */
const CHUNKS_AT_A_TIME = 6;

/** Writes the image to a new file, or to standard output (`-`). An incomplete file is removed. */
export async function restoreImage(
  source: SnapshotSource,
  archive: IndexedArchive,
  target: string,
  options: ImageRestoreOptions,
): Promise<void> {
  if (target === "-") return await streamImage(source, archive, options);
  const fd = openNew(target);
  try {
    ftruncate(fd, archive.index.size);
    await writeChunks(fd, source, archive, options);
    fsync(fd);
  } catch (error) {
    unlinkSync(target);
    throw error;
  } finally {
    close(fd);
  }
}

function openNew(target: string): number {
  try {
    return open(target, CREATE_NEW, 0o600);
  } catch (error) {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
    throw new DozoError(`unable to create file '${target}': it already exists and is never overwritten`);
  }
}

/** Chunks may arrive and be written in any order: each knows its own place. */
async function writeChunks(fd: number, source: SnapshotSource, archive: IndexedArchive, options: ImageRestoreOptions) {
  const { index, file } = archive;
  const zero = await zeroDigest(index.chunkAt(0).end, file["crypt-mode"] === "encrypt" ? options.key : undefined);
  let done = 0;
  function* wanted() {
    for (let i = 0; i < index.count; i++) {
      if (bytesEqual(index.digestAt(i), zero)) done += length(i);
      else yield i;
    }
  }
  const length = (i: number) => {
    const { start, end } = index.chunkAt(i);
    return end - start;
  };
  await inParallel(wanted(), CHUNKS_AT_A_TIME, async (i) => {
    options.signal?.throwIfAborted();
    const { start, end, digest } = index.chunkAt(i);
    const encoded = await source.session.chunk(digest, options.signal);
    const data = await source.decode(file, encoded, digest);
    if (data.length !== end - start) {
      throw new DozoError(`chunk of '${file.filename}' at ${start} has the wrong length`);
    }
    await pwriteAsync(fd, data, start);
    if (data.buffer === encoded.buffer) source.session.recycle(encoded);
    done += data.length;
    options.progress?.(done, index.size);
  });
}

async function streamImage(source: SnapshotSource, archive: IndexedArchive, options: ImageRestoreOptions) {
  const output = openOutput("-");
  const stream = new ChunkStream(source, archive);
  try {
    for (let bytes = await stream.pull(); bytes; bytes = await stream.pull()) {
      await output.write(bytes);
      options.progress?.(stream.position, stream.size);
    }
  } finally {
    await stream.close();
  }
}

/** Digest that a chunk of `size` zero bytes has. */
function zeroDigest(size: number, key: CryptKey | undefined): Promise<Uint8Array> {
  return chunkDigest(new Uint8Array(size), key);
}
