/** Streams held in memory: a sink that collects, a source over an array. For small archives and tests. */
import type { PayloadSink, RandomSource } from "./sink.ts";

/** Collects a stream in memory. */
export class MemorySink implements PayloadSink {
  #bytes = new Uint8Array(4096);
  #length = 0;
  /** Boundaries suggested so far. */
  readonly boundaries: number[] = [];

  reserve(max: number): Uint8Array<ArrayBuffer> {
    this.#grow(max);
    return this.#bytes.subarray(this.#length, this.#length + max);
  }

  commit(count: number): void {
    this.#length += count;
  }

  write(bytes: Uint8Array): void {
    this.#grow(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  suggestBoundary(offset: number): void {
    this.boundaries.push(offset);
  }

  #grow(room: number): void {
    if (this.#length + room <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.#length + room));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  /** What was written so far. */
  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }
}

/** A {@link RandomSource} over `bytes`. */
export function memorySource(bytes: Uint8Array): RandomSource {
  return {
    size: bytes.length,
    read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
  };
}
