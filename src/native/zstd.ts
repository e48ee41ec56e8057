/** zstd of whole buffers: libzstd on other threads for large data, `node:zlib` where that library is missing. */
import { constants, zstdCompress, zstdDecompressSync } from "node:zlib";
import { DozoError, FormatError } from "../base/errors.ts";
import { hasCode } from "./fs_error.ts";
import { ASYNC_THRESHOLD, computeSlots } from "./in_flight.ts";
import { ffiBytes, fixedBytes, holding } from "./library.ts";
import { type LibZstd, libzstd, ZSTD_DST_SIZE_TOO_SMALL } from "./libzstd.ts";
import { type ZstdFrame, zstdFrames } from "./zstd_frames.ts";

/** Level that blobs are compressed with (`spec/blob.md` §3). */
export const ZSTD_LEVEL = 1;

/**
 * Compresses `src` as one frame (level 1) into `dst`; returns the number of bytes written, or null when they do not fit.
 * With `dst` as long as `src`, null means "not worth it". Neither may change until the promise is settled, nor overlap.
 */
export async function zstdCompressInto(src: Uint8Array, dst: Uint8Array, level = ZSTD_LEVEL): Promise<number | null> {
  const library = libzstd();
  return library === null ? await compressBuiltIn(src, dst, level) : await compressLibrary(library, src, dst, level);
}

/**
 * Content of zstd data: any number of frames, skippable ones included, with or without content size and checksum.
 * Throws {@link FormatError} when the content exceeds `maxSize` bytes, when the data is truncated, damaged, empty or
 * followed by something else. Never allocates more than `maxSize`. The result is a view on `into` where that is given and
 * large enough for what the frames may hold (at most `maxSize`): a buffer that is used again spares the system clearing
 * new memory. What lies behind the content up to there may be overwritten.
 */
export async function zstdDecompress(
  src: Uint8Array,
  maxSize: number,
  into?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const library = libzstd();
  return library === null
    ? decompressBuiltIn(src, maxSize, into)
    : await decompressLibrary(library, src, maxSize, into);
}

/** {@link zstdCompressInto} by libzstd. */
export async function compressLibrary(
  { lib, compressContexts }: LibZstd,
  src: Uint8Array,
  dst: Uint8Array,
  level: number,
): Promise<number | null> {
  const large = src.length >= ASYNC_THRESHOLD;
  if (large) await computeSlots.acquire();
  const context = compressContexts.take();
  let result: number;
  try {
    const [input, output] = [ffiBytes(src), ffiBytes(dst)];
    result = Number(
      large
        ? await holding(
          lib.compressNonblocking(context, output, output.length, input, input.length, level),
          input,
          output,
        )
        : lib.ZSTD_compressCCtx(context, output, output.length, input, input.length, level),
    );
  } finally {
    compressContexts.give(context);
    if (large) computeSlots.release();
  }
  if (result >= 0) return result;
  if (result === ZSTD_DST_SIZE_TOO_SMALL) return null;
  throw new DozoError(`zstd compression failed (libzstd error ${-result})`, { status: 500 });
}

/** {@link zstdCompressInto} by the runtime's own code. */
export async function compressBuiltIn(src: Uint8Array, dst: Uint8Array, level: number): Promise<number | null> {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const frame = await computeSlots.run(() =>
    new Promise<Uint8Array>((resolve, reject) =>
      zstdCompress(src, { params }, (error, result) => error ? reject(error) : resolve(result))
    )
  );
  if (frame.length > dst.length) return null;
  dst.set(frame);
  return frame.length;
}

/** {@link zstdDecompress} by libzstd. */
export async function decompressLibrary(
  { lib, decompressContexts }: LibZstd,
  src: Uint8Array,
  maxSize: number,
  into?: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  const capacity = capacityFor(zstdFrames(src), maxSize);
  const content = roomFor(capacity, into);
  const large = capacity >= ASYNC_THRESHOLD || src.length >= ASYNC_THRESHOLD;
  if (large) await computeSlots.acquire();
  const context = decompressContexts.take();
  let result: number;
  try {
    const input = ffiBytes(src);
    result = Number(
      large
        ? await holding(
          lib.decompressNonblocking(context, content, capacity, input, input.length),
          content,
          input,
        )
        : lib.ZSTD_decompressDCtx(context, content, capacity, input, input.length),
    );
  } finally {
    decompressContexts.give(context);
    if (large) computeSlots.release();
  }
  if (result === ZSTD_DST_SIZE_TOO_SMALL && capacity === maxSize) throw tooLarge(maxSize);
  if (result < 0) throw new FormatError(`zstd data is damaged (libzstd error ${-result})`);
  return fitted(content, result, into);
}

/** {@link zstdDecompress} by the runtime's own code. */
export function decompressBuiltIn(
  src: Uint8Array,
  maxSize: number,
  into?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  const frames = zstdFrames(src);
  const content = roomFor(capacityFor(frames, maxSize), into);
  let length = 0;
  for (const frame of frames) {
    const part = decompressFrame(src.subarray(frame.start, frame.end), maxSize - length);
    if (frame.contentSize !== undefined && part.length !== frame.contentSize) {
      throw new FormatError("zstd frame has another size than it announces", { offset: frame.start });
    }
    content.set(part, length);
    length += part.length;
  }
  return fitted(content, length, into);
}

// Synchronous: the asynchronous form of the runtime throws a second time, where nobody can catch it, for damaged data.
function decompressFrame(frame: Uint8Array, maxSize: number): Uint8Array {
  let content: Uint8Array;
  try {
    content = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, maxSize) });
  } catch (error) {
    if (hasCode(error, "ERR_BUFFER_TOO_LARGE")) throw tooLarge(maxSize);
    throw new FormatError("zstd data is damaged", { cause: error });
  }
  if (content.length > maxSize) throw tooLarge(maxSize);
  return content;
}

function capacityFor(frames: readonly ZstdFrame[], maxSize: number): number {
  let announced = 0;
  let capacity = 0;
  for (const { start, contentSize, bound } of frames) {
    if (contentSize !== undefined && contentSize > bound) {
      throw new FormatError("zstd frame announces more than it holds", { offset: start });
    }
    announced += contentSize ?? 0;
    capacity += contentSize ?? bound;
  }
  if (announced > maxSize) throw tooLarge(maxSize);
  return Math.min(capacity, maxSize);
}

function roomFor(capacity: number, into?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return into !== undefined && into.length >= capacity ? into.subarray(0, capacity) : fixedBytes(capacity);
}

// A short content in a large buffer of its own would waste the rest for as long as it lives.
function fitted(
  content: Uint8Array<ArrayBuffer>,
  length: number,
  into?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  if (length === content.length) return content;
  const own = content.buffer !== into?.buffer;
  return own && 2 * length < content.length ? content.slice(0, length) : content.subarray(0, length);
}

function tooLarge(maxSize: number): FormatError {
  return new FormatError(`zstd data decompresses to more than ${maxSize} bytes`);
}
