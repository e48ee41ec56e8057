/** zstd of streams (`tar.zst` and the like) by `node:zlib`, which works piece by piece in bounded memory. */
import { Writable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress, type ZstdCompress, type ZstdDecompress } from "node:zlib";
import { FormatError } from "../base/errors.ts";
import { frameHeaderRest, zstdFrameKind } from "./zstd_frames.ts";

/** Bytes in, bytes out; for `pipeThrough`. */
export interface ByteTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A transform that compresses at `level` (1 to 19) into one frame. */
export function zstdCompressStream(level = 3): ByteTransform {
  return byteTransform(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }));
}

/**
 * A transform that decompresses any number of frames; the reading side fails with {@link FormatError} for damaged or
 * truncated data and for what is not zstd.
 */
export function zstdDecompressStream(): ByteTransform {
  const frames = new FrameTracker();
  const { readable, writable } = byteTransform(createZstdDecompress());
  const checked = new TransformStream<Uint8Array, Uint8Array>({
    transform(piece, controller) {
      frames.pass(piece);
      controller.enqueue(piece);
    },
    flush: () => frames.end(),
  });
  const fed = checked.readable.pipeTo(writable);
  return { readable: ReadableStream.from(afterInput(readable, fed)), writable: checked.writable };
}

/** Follows the frame structure (RFC 8878 §3.1): `node:zlib` takes truncated data for complete. */
class FrameTracker {
  #state: "magic" | "skippable" | "descriptor" | "block" = "magic";
  #header = 0;
  #have = 0;
  #want = 4;
  #skip = 0;
  #checksum = 0;
  #offset = 0;

  pass(data: Uint8Array): void {
    for (let at = 0; at < data.length;) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, data.length - at);
        this.#skip -= step;
        at += step;
        continue;
      }
      this.#header += data[at++] * 2 ** (8 * this.#have++);
      if (this.#have === this.#want) this.#next(this.#header, this.#offset + at);
    }
    this.#offset += data.length;
  }

  end(): void {
    if (this.#state !== "magic" || this.#have > 0 || this.#skip > 0 || this.#offset === 0) {
      throw new FormatError("zstd data is truncated", { offset: this.#offset });
    }
  }

  #next(header: number, offset: number): void {
    if (this.#state === "magic") {
      const kind = zstdFrameKind(header);
      if (kind === null) throw new FormatError("not zstd data", { offset: offset - 4 });
      if (kind === "data") this.#expect("descriptor", 1);
      else this.#expect("skippable", 4);
    } else if (this.#state === "skippable") {
      this.#expect("magic", 4, header);
    } else if (this.#state === "descriptor") {
      this.#checksum = header & 4;
      this.#expect("block", 3, frameHeaderRest(header));
    } else {
      const size = (header >> 1 & 3) === 1 ? 1 : header >> 3;
      if (header & 1) this.#expect("magic", 4, size + this.#checksum);
      else this.#expect("block", 3, size);
    }
  }

  #expect(state: "magic" | "skippable" | "descriptor" | "block", bytes: number, skip = 0): void {
    this.#state = state;
    this.#want = bytes;
    this.#skip = skip;
    this.#header = this.#have = 0;
  }
}

async function* afterInput(pieces: ReadableStream<Uint8Array>, fed: Promise<void>): AsyncGenerator<Uint8Array> {
  const input = fed.then(() => null, (error: unknown) => error);
  try {
    yield* pieces;
  } catch (error) {
    throw await input ?? error;
  }
  const error = await input;
  if (error !== null) throw error;
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
