/** zstd of streams (`tar.zst` and the like), piece by piece in bounded memory. */
import { Writable } from "node:stream";
import { constants, createZstdCompress } from "node:zlib";
import { concatBytes, readU64, viewOf, writeU64 } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { computeSlots } from "./in_flight.ts";
import { fixedBytes, holding } from "./library.ts";
import { type LibZstd, libzstd } from "./libzstd.ts";
import { decompressBuiltIn } from "./zstd.ts";

/** Bytes in, bytes out; for `pipeThrough`. */
export interface ByteTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** Most bytes of content, compressed and not, that {@link decompressPiecesBuiltIn} takes. */
const BUILT_IN_LIMIT = 256 * 1024 * 1024;
const OUTPUT_SIZE = 512 * 1024;
const BUFFER_STRUCT_SIZE = 24;
const POSITION_OFFSET = 16;

/** A transform that compresses at `level` (1 to 19) into one frame. */
export function zstdCompressStream(level = 3): ByteTransform {
  const codec = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  return { readable: ReadableStream.from<Uint8Array>(codec), writable: Writable.toWeb(codec) };
}

/**
 * A transform that decompresses any number of frames; the reading side fails with {@link FormatError} for damaged or
 * truncated data and for what is not zstd. Needs at most the window of the frame (128 MiB) and a little. Without libzstd
 * it collects the whole content, at most 256 MiB of it.
 */
export function zstdDecompressStream(): ByteTransform {
  const input = new TransformStream<Uint8Array, Uint8Array>();
  const library = libzstd();
  const pieces = library === null
    ? decompressPiecesBuiltIn(input.readable)
    : decompressPiecesLibrary(library, input.readable);
  return { readable: ReadableStream.from(pieces), writable: input.writable };
}

/** Decompresses by libzstd. */
export async function* decompressPiecesLibrary(
  { lib }: LibZstd,
  input: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const context = lib.ZSTD_createDCtx();
  let open = true;
  let offset = 0;
  let output = fixedBytes(OUTPUT_SIZE);
  try {
    for await (const piece of input) {
      const data = Uint8Array.from(piece);
      const source = bufferStruct(data);
      while (positionOf(source) < data.length) {
        const target = bufferStruct(output);
        const result = await computeSlots.run(() =>
          holding(lib.decompressStreamNonblocking(context, target, source), context, target, source, output, data)
        );
        if (result < 0) {
          throw new FormatError(`zstd data is damaged (libzstd error ${-result})`, {
            offset: offset + positionOf(source),
          });
        }
        // Zero: a frame has ended and all of it was handed out.
        open = result !== 0n;
        if (positionOf(target) > 0) {
          yield output.subarray(0, positionOf(target));
          output = fixedBytes(OUTPUT_SIZE);
        }
      }
      offset += data.length;
    }
    // What the last input still has inside comes out without further input.
    while (open && offset > 0) {
      const [source, target] = [bufferStruct(fixedBytes(1), 0), bufferStruct(output)];
      const result = await holding(lib.decompressStreamNonblocking(context, target, source), target, source, output);
      if (result < 0 || positionOf(target) === 0) break;
      open = result !== 0n;
      yield output.subarray(0, positionOf(target));
      output = fixedBytes(OUTPUT_SIZE);
    }
    if (open) throw new FormatError("zstd data is truncated", { offset });
  } finally {
    lib.ZSTD_freeDCtx(context);
  }
}

/**
 * Decompresses by the runtime's own code, all at once: its streaming decoder ends silently after the first frame, takes
 * truncated data for complete, and throws where nobody can catch it when the data is damaged.
 */
export async function* decompressPiecesBuiltIn(input: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of input) {
    length += piece.length;
    if (length > BUILT_IN_LIMIT) throw new FormatError("zstd data of this size needs libzstd.so.1 on this system");
    pieces.push(piece);
  }
  yield decompressBuiltIn(concatBytes(...pieces), BUILT_IN_LIMIT);
}

// `ZSTD_inBuffer` and `ZSTD_outBuffer`: address, size, position.
function bufferStruct(bytes: Uint8Array<ArrayBuffer>, length = bytes.length): Uint8Array<ArrayBuffer> {
  const struct = fixedBytes(BUFFER_STRUCT_SIZE);
  const view = viewOf(struct);
  view.setBigUint64(0, Deno.UnsafePointer.value(Deno.UnsafePointer.of(bytes)), true);
  writeU64(view, 8, length);
  return struct;
}

function positionOf(struct: Uint8Array): number {
  return readU64(viewOf(struct), POSITION_OFFSET);
}
