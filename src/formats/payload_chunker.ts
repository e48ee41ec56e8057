/** Payload chunker: content-defined cuts plus suggested ones, one per file (`spec/chunker.md` §4). */
import { Chunker, DEFAULT_CHUNK_SIZE, type StreamChunker } from "./chunker.ts";

/**
 * Cuts the payload stream of a split archive. Queue the suggestion of a file before the first byte of its payload header is
 * scanned. All offsets are those of the payload stream, injected (reused) bytes included.
 */
export class PayloadChunker implements StreamChunker {
  readonly #chunker: Chunker;
  readonly #suggestions: number[] = [];
  #nextSuggestion = 0;
  #held: number | undefined;
  #base = 0;

  constructor(average: number = DEFAULT_CHUNK_SIZE) {
    this.#chunker = new Chunker(average);
  }

  get maximum(): number {
    return this.#chunker.maximum;
  }

  get scanned(): number {
    return this.#chunker.scanned;
  }

  /** Offset in the payload stream where the current chunk begins. */
  get base(): number {
    return this.#base;
  }

  /** Proposes a cut at `offset`. Offsets come in increasing order; repeated and stale ones do no harm. */
  suggest(offset: number): void {
    this.#suggestions.push(offset);
  }

  /** Begins a new chunk at `base`, whatever was scanned: used where reused chunks were put into the stream. */
  restart(base: number): void {
    this.#chunker.reset();
    this.#base = base;
  }

  scan(data: Uint8Array, from = 0, to: number = data.length): number {
    const scanned = this.#chunker.scanned;
    const end = this.#base + scanned + (to - from);
    for (;;) {
      this.#held ??= this.#takeSuggestion();
      const cut = this.#held;
      if (cut === undefined || cut > end) break;
      const size = cut - this.#base;
      if (size > this.maximum) break;
      this.#held = undefined;
      if (size < scanned || size < this.#chunker.minimum) continue;
      if (size === scanned) break;
      this.restart(cut);
      return from + size - scanned;
    }
    const cut = this.#chunker.scan(data, from, to);
    if (cut > 0) this.#base += scanned + cut - from;
    return cut;
  }

  #takeSuggestion(): number | undefined {
    if (this.#nextSuggestion === this.#suggestions.length) return undefined;
    const offset = this.#suggestions[this.#nextSuggestion++];
    if (this.#nextSuggestion >= 1024) this.#suggestions.splice(0, this.#nextSuggestion), this.#nextSuggestion = 0;
    return offset;
  }
}
