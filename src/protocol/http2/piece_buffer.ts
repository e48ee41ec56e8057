/** Received bytes that wait for a reader. */

/** Pieces shorter than this are copied together, so that a waiting byte does not pin a whole read buffer. */
const COPY_BELOW = 8 * 1024;
const BLOCK = 64 * 1024;

/** First-in first-out bytes in pieces; memory stays in proportion to the bytes, however small the pieces come. */
export class PieceBuffer {
  #pieces: Uint8Array[] = [];
  #next = 0;
  /** Memory of the newest piece, while more can be copied behind it. */
  #block?: Uint8Array<ArrayBuffer>;
  /** Bytes that wait. */
  length = 0;

  /** Adds a piece; a long one is kept without copying. */
  add(piece: Uint8Array): void {
    this.length += piece.length;
    if (piece.length >= COPY_BELOW) {
      this.#pieces.push(piece);
      this.#block = undefined;
      return;
    }
    const used = this.#block ? this.#pieces[this.#pieces.length - 1].length : 0;
    if (this.#block && used + piece.length <= BLOCK) {
      this.#block.set(piece, used);
      this.#pieces[this.#pieces.length - 1] = this.#block.subarray(0, used + piece.length);
    } else {
      this.#block = new Uint8Array(BLOCK);
      this.#block.set(piece);
      this.#pieces.push(this.#block.subarray(0, piece.length));
    }
  }

  /** Removes and returns the oldest piece, undefined when there is none. */
  take(): Uint8Array | undefined {
    if (this.#next >= this.#pieces.length) return undefined;
    const piece = this.#pieces[this.#next++];
    this.length -= piece.length;
    if (this.#next === this.#pieces.length) this.clear();
    return piece;
  }

  /** Forgets everything. */
  clear(): void {
    this.#pieces = [];
    this.#next = 0;
    this.#block = undefined;
    this.length = 0;
  }
}
