/** Restores an image: chunks are fetched ahead and written where they belong; zero chunks become holes in new files. */
import { unlinkSync } from "node:fs";
import { bytesEqual } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { chunkDigest, type CryptKey } from "../../formats/crypt_key.ts";
import { close, fsync, ftruncate, open, pwriteAsync } from "../../native/fs.ts";
import { ChunkStream } from "./chunk_stream.ts";
import { openOutput } from "./output.ts";
import type { IndexedArchive, SnapshotSource } from "./snapshot_source.ts";

/** What {@link restoreImage} needs besides the archive. */
export interface ImageRestoreOptions {
  readonly key?: CryptKey;
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

const CREATE_NEW = 0o1 | 0o100 | 0o200 | 0o2000000; // O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC

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

async function writeChunks(fd: number, source: SnapshotSource, archive: IndexedArchive, options: ImageRestoreOptions) {
  const { index, file } = archive;
  const zero = await zeroDigest(index.chunkAt(0).end, file["crypt-mode"] === "encrypt" ? options.key : undefined);
  const wanted: number[] = [];
  for (let i = 0; i < index.count; i++) if (!bytesEqual(index.digestAt(i), zero)) wanted.push(i);
  function* digests() {
    for (const i of wanted) yield index.digestAt(i);
  }
  let position = 0;
  // Writing is part of the mapping, so that several chunks are decoded and written at a time.
  const writeOne = async (encoded: Uint8Array, digest: Uint8Array) => {
    const { start, end } = index.chunkAt(wanted[position++]);
    const data = await source.decode(file, encoded, digest);
    if (data.length !== end - start) {
      throw new DozoError(`chunk of '${file.filename}' at ${start} has the wrong length`);
    }
    await pwriteAll(fd, data, start);
    return end;
  };
  for await (const end of source.session.chunks(digests(), writeOne, { signal: options.signal })) {
    options.progress?.(end, index.size);
  }
}

async function pwriteAll(fd: number, data: Uint8Array<ArrayBuffer>, offset: number): Promise<void> {
  for (let at = 0; at < data.length;) at += await pwriteAsync(fd, data.subarray(at), offset + at);
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
