/** Buffers of request bodies that are used again: fresh memory costs page faults and garbage collections. */

const SMALLEST = 512 * 1024;
/** Above a power of two, so that a chunk of 4 MiB with its header fits. */
const SLACK = 64 * 1024;

/** Keeps buffers of a few sizes up to a number of bytes. */
export class BufferPool {
  readonly #capacity: number;
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  #kept = 0;

  /** `capacity`: bytes that may be kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A buffer of at least `size` bytes with any content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size < SMALLEST) return new Uint8Array(size);
    const length = sizeClass(size);
    const buffer = this.#free.get(length)?.pop();
    if (buffer) this.#kept -= length;
    return buffer ?? new Uint8Array(length);
  }

  /** Gives back a buffer from {@link take} that nobody uses any more. */
  give(buffer: Uint8Array<ArrayBuffer>): void {
    const { length } = buffer;
    if (length < SMALLEST || this.#kept + length > this.#capacity) return;
    const free = this.#free.get(length);
    if (free) free.push(buffer);
    else this.#free.set(length, [buffer]);
    this.#kept += length;
  }
}

function sizeClass(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SMALLEST, size - SLACK))) + SLACK;
}
