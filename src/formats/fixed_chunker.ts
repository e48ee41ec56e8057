/** Fixed chunker for block images (`spec/chunker.md` §6). */
import { DozoError } from "../base/errors.ts";
import type { StreamChunker } from "./chunker.ts";

/** Cuts every `maximum` bytes; only the last chunk of a stream may be shorter. */
export class FixedChunker implements StreamChunker {
  readonly maximum: number;
  #size = 0;

  /** `size` in bytes, 1 or more. */
  constructor(size: number) {
    if (!Number.isSafeInteger(size) || size < 1) throw new DozoError(`invalid chunk size ${size}`);
    this.maximum = size;
  }

  get scanned(): number {
    return this.#size;
  }

  scan(data: Uint8Array, from = 0, to: number = data.length): number {
    const cut = from + this.maximum - this.#size;
    if (cut > to) {
      this.#size += to - from;
      return 0;
    }
    this.#size = 0;
    return cut;
  }
}
