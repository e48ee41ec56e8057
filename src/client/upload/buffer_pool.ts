/**
 * Reuses the big buffers of the data path: fresh ones cost page faults and garbage collection.
 * Sizes are powers of two so that a returned buffer fits the next request.
 */
export class BufferPool {
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  readonly #keptPerSize: number;

  /** `keptPerSize`: buffers of one size that are kept while unused. */
  constructor(keptPerSize: number) {
    this.#keptPerSize = keptPerSize;
  }

  /** A buffer of at least `size` bytes with undefined content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const capacity = Math.max(4096, 2 ** Math.ceil(Math.log2(size)));
    return this.#free.get(capacity)?.pop() ?? new Uint8Array(capacity);
  }

  /** Gives back a whole buffer from {@link take}; it must not be used any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    const free = this.#free.get(buffer.length) ?? [];
    this.#free.set(buffer.length, free);
    if (free.length < this.#keptPerSize) free.push(buffer);
  }
}
