/** zstd of streams (`tar.zst` and the like) by `node:zlib`, which works piece by piece in bounded memory. */
import { pipeline, Readable, Writable } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress, type ZstdDecompress } from "node:zlib";
import { FormatError } from "../base/errors.ts";
import { frameHeaderRest, zstdFrameKind } from "./zstd_frames.ts";

/** Bytes in, bytes out; for `pipeThrough`. */
export interface ByteTransform {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
}

/** A transform that compresses at `level` (1 to 19) into one frame. */
export function zstdCompressStream(level = 3): ByteTransform {
  const codec = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  return { readable: ReadableStream.from<Uint8Array>(codec), writable: Writable.toWeb(codec) };
}

/**
 * A transform that decompresses any number of frames; the reading side fails with {@link FormatError} for damaged or
 * truncated data and for what is not zstd.
 */
export function zstdDecompressStream(): ByteTransform {
  const input = new TransformStream<Uint8Array, Uint8Array>();
  return { readable: ReadableStream.from(decompressFrames(input.readable)), writable: input.writable };
}

// The runtime's decoder ends silently after the first frame and takes truncated data for complete: so each frame gets a
// decoder of its own, and the frame structure is followed here.
async function* decompressFrames(input: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const frames = new FrameSplitter(input);
  try {
    while (await frames.more()) {
      const codec = createZstdDecompress();
      pipeline(Readable.from(frames.next()), codec, () => {});
      yield* outputOf(codec, frames);
    }
  } finally {
    await frames.cancel();
  }
}

/** Gives the bytes of one frame after the other. */
class FrameSplitter {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #tracker = new FrameTracker();
  #rest: Uint8Array = new Uint8Array();
  /** Why {@link next} has failed: what the source threw, or what is wrong with the structure. */
  failure?: unknown;

  constructor(input: ReadableStream<Uint8Array>) {
    this.#reader = input.getReader();
  }

  /** False at the end of the input, which has at least one frame. */
  async more(): Promise<boolean> {
    if (await this.#fill()) return true;
    if (this.#tracker.offset === 0) throw new FormatError("no zstd data", { offset: 0 });
    return false;
  }

  async *next(): AsyncGenerator<Uint8Array> {
    try {
      do {
        if (!await this.#fill()) throw new FormatError("zstd data is truncated", { offset: this.#tracker.offset });
        const length = this.#tracker.pass(this.#rest);
        yield this.#rest.subarray(0, length);
        this.#rest = this.#rest.subarray(length);
      } while (!this.#tracker.atBoundary);
    } catch (error) {
      this.failure = error;
      throw error;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #fill(): Promise<boolean> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#reader.read();
      if (done) return false;
      this.#rest = value;
    }
    return true;
  }
}

/** Finds the ends of frames (RFC 8878 §3.1). */
class FrameTracker {
  #state: "magic" | "skippable" | "descriptor" | "block" = "magic";
  #header = 0;
  #have = 0;
  #want = 4;
  #skip = 0;
  #checksum = 0;
  #offset = 0;

  /** Bytes at the start of `data` that belong to the present frame; {@link atBoundary} tells whether they end it. */
  pass(data: Uint8Array): number {
    let at = 0;
    do {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, data.length - at);
        this.#skip -= step;
        at += step;
      } else {
        this.#header += data[at++] * 2 ** (8 * this.#have++);
        if (this.#have === this.#want) this.#next(this.#header, this.#offset + at);
      }
    } while (at < data.length && !this.atBoundary);
    this.#offset += at;
    return at;
  }

  /** True where a frame has ended and none has begun. */
  get atBoundary(): boolean {
    return this.#state === "magic" && this.#have === 0 && this.#skip === 0;
  }

  /** Bytes passed so far. */
  get offset(): number {
    return this.#offset;
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

async function* outputOf(codec: ZstdDecompress, frames: FrameSplitter): AsyncGenerator<Uint8Array> {
  try {
    yield* codec;
  } catch (error) {
    throw error === frames.failure ? error : new FormatError("zstd data is damaged", { cause: error });
  }
}
