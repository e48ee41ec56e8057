/** Writes file content, leaving holes where whole blocks are zero (`spec/pxar.md` §12). */
import { ftruncate, pwrite, pwriteAsync } from "../native/fs.ts";

const BLOCK_SIZE = 4096;

/** From this many bytes on another thread writes; a thread change costs about as much as this thread would need. */
const ASYNC_MIN = 256 * 1024;

/** Bytes being written by other threads above which the caller should wait. */
const PENDING_MAX = 32 * 1024 * 1024;

/** Takes the pieces of one new, empty file in order. */
export class SparseWriter {
  readonly #fd: number;
  #position = 0;
  /** True when the file's end is a hole that only `ftruncate` makes real. */
  #hole = false;
  #pending = 0;
  #failure?: { readonly error: unknown };
  #wake: (() => void)[] = [];

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Appends `piece`, which must not change any more: large parts are written by other threads. Blocks are those of the
   * file, not of the piece. Throws FsError, also for an earlier piece.
   */
  write(piece: Uint8Array): void {
    if (this.#failure) throw this.#failure.error;
    let at = 0;
    let dataStart = 0;
    while (at < piece.length) {
      const blockEnd = Math.min(piece.length, at + BLOCK_SIZE - (this.#position + at) % BLOCK_SIZE);
      if (blockEnd - at === BLOCK_SIZE && piece[at] === 0 && isZero(piece, at)) {
        this.#writeAll(piece, dataStart, at);
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
    if (to - from >= ASYNC_MIN) {
      this.#writeLater(piece.subarray(from, to), this.#position + from);
      return;
    }
    while (from < to) from += pwrite(this.#fd, piece.subarray(from, to), this.#position + from);
  }

  #writeLater(data: Uint8Array, offset: number): void {
    this.#pending += data.length;
    pwriteAsync(this.#fd, data, offset).catch((error) => {
      this.#failure ??= { error };
    }).finally(() => {
      this.#pending -= data.length;
      this.#wake.splice(0).forEach((wake) => wake());
    });
  }

  /** A promise to wait for before the next piece when much is being written already. */
  pressure(): Promise<void> | undefined {
    return this.#pending > PENDING_MAX ? this.#until(() => this.#pending <= PENDING_MAX) : undefined;
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Resolves when no other thread uses the file any more (only then may it be closed); nothing when none does. */
  idle(): Promise<void> | undefined {
    return this.#pending > 0 ? this.#until(() => this.#pending === 0) : undefined;
  }

  /** Gives the file its size; call when {@link idle}. Throws FsError for whatever failed before. */
  finish(): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#hole) ftruncate(this.#fd, this.#position);
  }
}

/** True when a whole block of a file that begins with `content` holds only zeros. */
export function hasZeroBlock(content: Uint8Array): boolean {
  for (let at = 0; at + BLOCK_SIZE <= content.length; at += BLOCK_SIZE) {
    if (content[at] === 0 && isZero(content, at)) return true;
  }
  return false;
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
