/** Remembers what was looked up in a previous index: files are asked for in order, many of them per chunk. */
import type { PreviousIndex } from "./reuse_types.ts";

/** Chunks that are tried behind the last one found before a search through all. */
const STEPS = 4;

export class IndexCache implements PreviousIndex {
  readonly #index: PreviousIndex;
  readonly count: number;
  readonly size: number;
  /** 0 where not asked for yet: no chunk ends there. */
  readonly #ends: Float64Array;
  #found = 0;
  #digestOf = -1;
  #digest: Uint8Array = new Uint8Array(0);

  constructor(index: PreviousIndex) {
    this.#index = index;
    this.count = index.count;
    this.size = index.size;
    this.#ends = new Float64Array(index.count);
  }

  endAt(i: number): number {
    return this.#ends[i] || (this.#ends[i] = this.#index.endAt(i));
  }

  digestAt(i: number): Uint8Array {
    if (i !== this.#digestOf) {
      this.#digest = this.#index.digestAt(i);
      this.#digestOf = i;
    }
    return this.#digest;
  }

  find(offset: number): number {
    const last = Math.min(this.count, this.#found + STEPS);
    if (this.#found === 0 || offset >= this.endAt(this.#found - 1)) {
      for (let i = this.#found; i < last; i++) {
        if (offset < this.endAt(i)) return this.#found = i;
      }
    }
    return this.#found = this.#index.find(offset);
  }
}
