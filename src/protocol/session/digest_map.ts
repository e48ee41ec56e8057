/** A map from 32-byte digests to sizes, compact enough for the millions of chunks of a large index (36 bytes each). */

const DIGEST = 32;
const FIRST_CAPACITY = 1024;
const LONGEST_LOAD = 0.7;

/** Digests with a number from 1 to 2³²−1 (the plain size of the chunk in bytes). Open addressing, grows by doubling. */
export class DigestMap {
  #keys = new Uint8Array(FIRST_CAPACITY * DIGEST);
  /** 0 marks a free slot. */
  #sizes = new Uint32Array(FIRST_CAPACITY);
  #count = 0;

  /** Number of digests. */
  get count(): number {
    return this.#count;
  }

  /** Size stored for a digest, or undefined. */
  get(digest: Uint8Array): number | undefined {
    return this.#sizes[this.#slotOf(digest)] || undefined;
  }

  /** Whether the digest is there. */
  has(digest: Uint8Array): boolean {
    return this.#sizes[this.#slotOf(digest)] !== 0;
  }

  /** Adds a digest (its bytes are copied) or replaces its size. */
  set(digest: Uint8Array, size: number): void {
    if (this.#count >= this.#sizes.length * LONGEST_LOAD) this.#grow();
    const slot = this.#slotOf(digest);
    if (this.#sizes[slot] === 0) {
      this.#keys.set(digest.subarray(0, DIGEST), slot * DIGEST);
      this.#count++;
    }
    this.#sizes[slot] = size;
  }

  /** The slot that holds the digest, or the free one where it belongs. */
  #slotOf(digest: Uint8Array): number {
    const mask = this.#sizes.length - 1;
    // Digests are evenly spread unless a client makes them up; those it can only collide with its own.
    let slot = (digest[0] | digest[1] << 8 | digest[2] << 16 | digest[3] << 24) & mask;
    while (this.#sizes[slot] !== 0 && !this.#equals(slot * DIGEST, digest)) slot = (slot + 1) & mask;
    return slot;
  }

  #equals(at: number, digest: Uint8Array): boolean {
    for (let i = 0; i < DIGEST; i++) if (this.#keys[at + i] !== digest[i]) return false;
    return true;
  }

  #grow(): void {
    const keys = this.#keys;
    const sizes = this.#sizes;
    this.#keys = new Uint8Array(keys.length * 2);
    this.#sizes = new Uint32Array(sizes.length * 2);
    this.#count = 0;
    for (let slot = 0; slot < sizes.length; slot++) {
      if (sizes[slot] !== 0) this.set(keys.subarray(slot * DIGEST, (slot + 1) * DIGEST), sizes[slot]);
    }
  }
}
