/**
 * Content-defined chunker (`spec/chunker.md` §2): a cut falls after a byte where the cyclic-polynomial hash of the last 64 bytes
 * meets a condition, never before a quarter and never after four times the average size.
 */
import { DozoError } from "../base/errors.ts";
import { BUZHASH_TABLE } from "./buzhash_table.ts";

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
  readonly #mask: number;
  /** The last bytes of the previous call, for a window that lies across calls. */
  readonly #tail = new Uint8Array(CHUNKER_WINDOW);
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
    this.#mask = 2 * average - 1;
  }

  get scanned(): number {
    return this.#size;
  }

  /** Begins a new chunk here, whatever was scanned. */
  reset(): void {
    this.#size = 0;
    this.#hash = 0;
  }

  scan(_data: Uint8Array, _from = 0, _to = 0): number {
    void TABLE, this.#mask, this.#tail, this.#hash;
    throw new Error("being written");
  }
}
