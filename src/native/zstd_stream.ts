/** zstd of streams (`tar.zst` and the like) by `node:zlib`, which works piece by piece in bounded memory. */
import { Writable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress, type ZstdCompress, type ZstdDecompress } from "node:zlib";
import { FormatError } from "../base/errors.ts";

/** Bytes in, bytes out; for `pipeThrough`. */
export interface ByteTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A transform that compresses at `level` (1 to 19) into one frame. */
export function zstdCompressStream(level = 3): ByteTransform {
  return byteTransform(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }));
}

/** A transform that decompresses; the reading side fails with {@link FormatError} for damaged or truncated data. */
export function zstdDecompressStream(): ByteTransform {
  return byteTransform(createZstdDecompress());
}

function byteTransform(codec: ZstdCompress | ZstdDecompress): ByteTransform {
  return { readable: ReadableStream.from(outputOf(codec)), writable: Writable.toWeb(codec) };
}

async function* outputOf(codec: ZstdCompress | ZstdDecompress): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of codec) yield piece;
  } catch (error) {
    throw new FormatError("zstd data is damaged", { cause: error });
  }
}
