/** Buffers of bodies that are used again: fresh memory costs page faults and garbage collections. */

const SMALLEST = 512 * 1024;
/** Above a power of two, so that a chunk of 4 MiB with its header fits. */
const SLACK = 64 * 1024;

/** Keeps buffers of a few sizes up to a number of bytes. */
export class BufferPool {
  readonly #capacity: number;
  readonly #free = new Map<number, Uint8Array<ArrayBuffer>[]>();
  /** Memory that is out: only that is taken back, and once. */
  readonly #lent = new WeakSet<ArrayBuffer>();
  #kept = 0;

  /** `capacity`: bytes that may be kept. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** A buffer of at least `size` bytes with any content. */
  take(size: number): Uint8Array<ArrayBuffer> {
    if (size < SMALLEST) return new Uint8Array(size);
    const length = sizeClass(size);
    const free = this.#free.get(length)?.pop();
    if (free) this.#kept -= length;
    const buffer = free ?? new Uint8Array(length);
    this.#lent.add(buffer.buffer);
    return buffer;
  }

  /**
   * Gives back the memory behind a buffer from {@link take} or a part of it. Neither it nor any view of that memory may be
   * used afterwards. Memory from elsewhere is left alone.
   */
  give(part: Uint8Array<ArrayBuffer>): void {
    const memory = part.buffer;
    const length = memory.byteLength;
    if (!this.#lent.delete(memory) || this.#kept + length > this.#capacity) return;
    const free = this.#free.get(length);
    if (free) free.push(new Uint8Array(memory));
    else this.#free.set(length, [new Uint8Array(memory)]);
    this.#kept += length;
  }
}

function sizeClass(size: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(SMALLEST, size - SLACK))) + SLACK;
}
