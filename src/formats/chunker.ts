/**
 * Content-defined chunker (`spec/chunker.md` §2): a cut falls after a byte where the cyclic-polynomial hash of the last 64 bytes
 * meets a condition, never before a quarter and never after four times the average size.
 */
import { DozoError } from "../base/errors.ts";
import { BUZHASH_TABLE } from "./buzhash_table.ts";
import { skipUncut } from "./buzhash_wasm.ts";

/** Average chunk size of archives, bytes. */
export const DEFAULT_CHUNK_SIZE = 4 << 20;
/** Average chunk size of the catalog, bytes. */
export const CATALOG_CHUNK_SIZE = 512 << 10;
/** Bytes that the rolling hash looks at. */
export const CHUNKER_WINDOW = 64;

const TABLE = Int32Array.from(BUZHASH_TABLE, (value) => value | 0);

/** Something that cuts a byte stream into chunks. All chunkers share this shape. */
export interface StreamChunker {
  /** No chunk is longer than this many bytes: a buffer of this size always holds the current chunk. */
  readonly maximum: number;
  /** Bytes of the current chunk that were scanned already. */
  readonly scanned: number;
  /**
   * Scans `data[from, to)`, the bytes that follow those already scanned. Returns the position in `data` behind the last byte of
   * the current chunk (`from < position <= to`; the next chunk begins there and scanning goes on there), or 0 when the chunk
   * goes on beyond `to`.
   */
  scan(data: Uint8Array, from?: number, to?: number): number;
}

/** The content-defined chunker. Cuts do not depend on how the stream is split into calls. */
export class Chunker implements StreamChunker {
  readonly average: number;
  readonly minimum: number;
  readonly maximum: number;
  /** The last bytes of the previous call, for a window that lies across calls. */
  readonly #tail = new Uint8Array(CHUNKER_WINDOW);
  /** The buffer of the last call seen as words: the hot loop loads four bytes at a time. */
  #words = new Int32Array(0);
  #hash = 0;
  #size = 0;

  /** `average`: a power of two from 512 to 256 MiB, in bytes. Throws {@link DozoError} for anything else. */
  constructor(average: number = DEFAULT_CHUNK_SIZE) {
    if (!Number.isInteger(average) || average < 512 || average > 2 ** 28 || (average & (average - 1)) !== 0) {
      throw new DozoError(
        `invalid average chunk size ${average}: it must be a power of two between 512 bytes and 256 MiB`,
      );
    }
    this.average = average;
    this.minimum = average / 4;
    this.maximum = average * 4;
  }

  get scanned(): number {
    return this.#size;
  }

  /** Begins a new chunk here, whatever was scanned. */
  reset(): void {
    this.#size = 0;
  }

  scan(data: Uint8Array, from = 0, to: number = data.length): number {
    const start = from - this.#size;
    // The hash depends on 64 bytes only, and no cut is looked for before the minimum: begin 64 bytes before it.
    const fillFrom = start + this.minimum - CHUNKER_WINDOW;
    if (to <= fillFrom) {
      this.#size = to - start;
      return 0;
    }
    const minimumAt = start + this.minimum;
    let at = Math.max(from, fillFrom);
    if (at === fillFrom) this.#hash = 0;
    if (at < minimumAt) {
      at = this.#fill(data, at, Math.min(minimumAt, to));
      if (at === minimumAt && this.#isCut()) return this.#cut(at);
    }
    const end = Math.min(to, start + this.maximum);
    if (at < end) {
      // Bytes that leave the window are still in the previous call's data for the first 64 positions.
      const inBuffer = Math.min(end, from + CHUNKER_WINDOW);
      let cut = at < inBuffer ? this.#rollAcross(data, from, at, inBuffer) : 0;
      at = Math.max(at, inBuffer);
      if (cut === 0 && at < end) cut = this.#roll(data, at, end);
      if (cut > 0) return this.#cut(cut);
    }
    if (end === start + this.maximum) return this.#cut(end);
    this.#size = to - start;
    this.#keepTail(data, from, to);
    return 0;
  }

  #isCut(): boolean {
    const mask = 2 * this.average - 1;
    return (this.#hash & mask) >= mask - 2;
  }

  #cut(position: number): number {
    this.#size = 0;
    return position;
  }

  #fill(data: Uint8Array, from: number, to: number): number {
    let hash = this.#hash;
    for (let at = from; at < to; at++) hash = ((hash << 1) | (hash >>> 31)) ^ TABLE[data[at]];
    this.#hash = hash;
    return to;
  }

  #rollAcross(data: Uint8Array, callStart: number, from: number, to: number): number {
    const tail = this.#tail;
    for (let at = from; at < to; at++) {
      const hash = this.#hash;
      this.#hash = ((hash << 1) | (hash >>> 31)) ^ TABLE[tail[at - callStart]] ^ TABLE[data[at]];
      if (this.#isCut()) return at + 1;
    }
    return 0;
  }

  /**
   * The hot loop: every byte of a backup that is read in full passes here. Looks for a cut in `data[from, to)`, before which
   * at least 64 bytes of the chunk lie in `data` too. Long stretches without a cut are passed over by WebAssembly, which was
   * 1.2 times as fast as the loop below, although it copies (1.4 and 1.2 GiB/s for random data and zeros on one core). The loop itself
   * loads words of four bytes, which halves loads and bounds checks (1.25 times as fast as byte by byte). Both assume a little-endian machine,
   * as Deno does.
   */
  #roll(data: Uint8Array, from: number, to: number): number {
    let at = skipUncut(data, from, to, 2 * this.average - 1);
    if (at > from) {
      this.#hash = 0;
      this.#fill(data, at - CHUNKER_WINDOW, at);
    }
    if (this.#words.buffer !== data.buffer || this.#words.length !== data.buffer.byteLength >>> 2) {
      this.#words = new Int32Array(data.buffer as ArrayBuffer, 0, data.buffer.byteLength >>> 2);
    }
    const words = this.#words;
    const table = TABLE;
    const base = data.byteOffset;
    const mask = 2 * this.average - 1;
    const limit = mask - 2;
    let hash = this.#hash;
    for (; at < to && ((at + base) & 3) !== 0; at++) {
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[data[at - 64]] ^ table[data[at]]);
      if ((hash & mask) >= limit) return at + 1;
    }
    const lastWord = (to + base) >>> 2;
    for (let word = (at + base) >>> 2; word < lastWord; word++, at += 4) {
      const leaving = words[word - 16];
      const entering = words[word];
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[leaving & 255] ^ table[entering & 255]);
      if ((hash & mask) >= limit) return at + 1;
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[(leaving >>> 8) & 255] ^ table[(entering >>> 8) & 255]);
      if ((hash & mask) >= limit) return at + 2;
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[(leaving >>> 16) & 255] ^ table[(entering >>> 16) & 255]);
      if ((hash & mask) >= limit) return at + 3;
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[leaving >>> 24] ^ table[entering >>> 24]);
      if ((hash & mask) >= limit) return at + 4;
    }
    for (; at < to; at++) {
      hash = ((hash << 1) | (hash >>> 31)) ^ (table[data[at - 64]] ^ table[data[at]]);
      if ((hash & mask) >= limit) return at + 1;
    }
    this.#hash = hash;
    return 0;
  }

  #keepTail(data: Uint8Array, from: number, to: number): void {
    const tail = this.#tail;
    const fresh = Math.min(to - from, CHUNKER_WINDOW);
    tail.copyWithin(0, fresh);
    for (let i = 1; i <= fresh; i++) tail[CHUNKER_WINDOW - i] = data[to - i];
  }
}
