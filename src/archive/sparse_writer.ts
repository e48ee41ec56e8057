/** Writes file content, leaving holes where whole blocks are zero (`spec/pxar.md` §12). */
import { ftruncate, lseek, write } from "../native/fs.ts";

const BLOCK_SIZE = 4096;

/** Third argument of `lseek`. */
const FROM_POSITION = 1;

/** Writes pieces in order into a new, empty file. */
export class SparseWriter {
  #fd = -1;
  #position = 0;
  /** True when the file's end is a hole that only `ftruncate` makes real. */
  #hole = false;

  /** Starts with another file, at its beginning. */
  open(fd: number): void {
    this.#fd = fd;
    this.#position = 0;
    this.#hole = false;
  }

  /** Appends `piece`. Blocks are those of the file, not of the piece. Throws FsError. */
  write(piece: Uint8Array): void {
    let at = 0;
    let dataStart = 0;
    while (at < piece.length) {
      const blockEnd = Math.min(piece.length, at + BLOCK_SIZE - (this.#position + at) % BLOCK_SIZE);
      const whole = blockEnd - at === BLOCK_SIZE;
      if (whole && piece[at] === 0 && isZero(piece, at)) {
        this.#writeAll(piece, dataStart, at);
        lseek(this.#fd, BLOCK_SIZE, FROM_POSITION);
        this.#hole = true;
        dataStart = blockEnd;
      }
      at = blockEnd;
    }
    this.#writeAll(piece, dataStart, piece.length);
    this.#position += piece.length;
  }

  #writeAll(piece: Uint8Array, from: number, to: number): void {
    if (from === to) return;
    this.#hole = false;
    while (from < to) from += write(this.#fd, piece.subarray(from, to));
  }

  /** Gives the file its size where it ends in a hole. */
  finish(): void {
    if (this.#hole) ftruncate(this.#fd, this.#position);
  }
}

/** True when the block at `at` holds only zeros. */
function isZero(piece: Uint8Array, at: number): boolean {
  const end = at + BLOCK_SIZE;
  while (at < end) {
    if (piece[at] | piece[at + 1] | piece[at + 2] | piece[at + 3]) return false;
    at += 4;
  }
  return true;
}
