/** Forced boundaries: chunks of the previous snapshot put between freshly written payload (`spec/chunker.md` §5). */
import { FormatError } from "../base/errors.ts";
import { PayloadChunker } from "./payload_chunker.ts";

/** Reused chunks that enter the stream at `offset` and are `length` bytes long; `chunks` is the caller's list of them. */
export interface Injection<T> {
  readonly offset: number;
  readonly length: number;
  readonly chunks: T;
}

/** The current chunk is `buffer[start, end)` (empty: no chunk); after it comes `injection`, if present. */
export interface ChunkStep<T> {
  readonly end: number;
  readonly injection?: Injection<T>;
}

/** A {@link PayloadChunker} between whose chunks lists of reused ones are put. */
export class InjectingChunker<T> {
  readonly #chunker: PayloadChunker;
  readonly #injections: Injection<T>[] = [];

  constructor(average?: number) {
    this.#chunker = new PayloadChunker(average);
  }

  /** No chunk is longer than this many bytes. */
  get maximum(): number {
    return this.#chunker.maximum;
  }

  /** Offset in the payload stream where the current chunk begins. */
  get base(): number {
    return this.#chunker.base;
  }

  /** Proposes a cut: see {@link PayloadChunker.suggest}. */
  suggest(offset: number): void {
    this.#chunker.suggest(offset);
  }

  /**
   * Puts `length` bytes of reused chunks at payload offset `offset`. Call it before the bytes that follow are scanned. Offsets
   * never decrease. Throws {@link FormatError} when they do or when the offset lies before the current chunk.
   */
  inject(offset: number, length: number, chunks: T): void {
    const last = this.#injections.at(-1);
    const lowest = last ? last.offset + last.length : this.base;
    if (offset < lowest || length < 0) {
      throw new FormatError(`forced chunk boundary at ${offset} lies before ${lowest}`);
    }
    this.#injections.push({ offset, length, chunks });
  }

  /** Looks for the end of the chunk of which `buffer[start, filled)` are all bytes known so far. Undefined: read more. */
  step(buffer: Uint8Array, start: number, filled: number): ChunkStep<T> | undefined {
    const base = this.base;
    const cut = this.#chunker.scan(buffer, start + this.#chunker.scanned, filled);
    const injection = this.#injections[0];
    if (injection && injection.offset <= base + (cut > 0 ? cut : filled) - start) {
      this.#injections.shift();
      this.#chunker.restart(injection.offset + injection.length);
      return { end: start + injection.offset - base, injection };
    }
    return cut > 0 ? { end: cut } : undefined;
  }

  /** To be called at the end of the stream. Throws {@link FormatError} when a forced boundary was never reached. */
  finish(): void {
    if (this.#injections.length > 0) {
      throw new FormatError(`payload stream ended before the forced chunk boundary at ${this.#injections[0].offset}`);
    }
  }
}
