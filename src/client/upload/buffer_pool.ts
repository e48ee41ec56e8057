/** Room for the header of an encoded chunk in front of a power of two. */
const HEADER_ROOM = 64;

/**
 * Reuses the big buffers of the data path: fresh ones cost page faults and garbage collection. Sizes are powers of two,
 * and a little more for the header of an encoded chunk, so that a returned buffer fits the next request.
 */
export class BufferPool {
  /** Buffers handed out and not given back yet. */
  used = 0;
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  readonly #keptPerSize: number;

  /** `keptPerSize`: buffers of one size that are kept while unused. */
  constructor(keptPerSize: number) {
    this.#keptPerSize = keptPerSize;
  }

  /** A buffer of at least `size` bytes with undefined content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    const capacity = Math.max(4096, 2 ** Math.ceil(Math.log2(Math.max(1, size - HEADER_ROOM)))) + HEADER_ROOM;
    this.used++;
    return this.#free.get(capacity)?.pop() ?? new Uint8Array(capacity);
  }

  /** Gives back a whole buffer from {@link take}; it must not be used any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    this.used--;
    const free = this.#free.get(buffer.length) ?? [];
    this.#free.set(buffer.length, free);
    if (free.length < this.#keptPerSize) free.push(buffer);
  }
}
