/** A received body read piece by piece. */
import type { BodySink } from "./body_sink.ts";
import { PieceBuffer } from "./piece_buffer.ts";

/** Holds pieces until the reader takes them; the stream's window bounds how many. One reader. */
export class PieceQueue implements BodySink, AsyncIterable<Uint8Array> {
  readonly kind = "queues";
  readonly #onTaken: (bytes: number) => void;
  readonly #onCancel: () => void;
  readonly #pieces = new PieceBuffer();
  #ended = false;
  #error?: Error;
  #wake?: () => void;

  /** `onTaken`: the reader took so many bytes. `onCancel`: it wants no more. */
  constructor(onTaken: (bytes: number) => void, onCancel: () => void) {
    this.#onTaken = onTaken;
    this.#onCancel = onCancel;
  }

  write(piece: Uint8Array): void {
    this.#pieces.add(piece);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  fail(error: Error): void {
    this.#error = error;
    this.#pieces.clear();
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    try {
      while (true) {
        const piece = this.#pieces.take();
        if (piece) {
          this.#onTaken(piece.length);
          yield piece;
        } else if (this.#error) {
          throw this.#error;
        } else if (this.#ended) {
          return;
        } else {
          await new Promise<void>((resolve) => this.#wake = resolve);
        }
      }
    } finally {
      if (!this.#ended && !this.#error) this.#onCancel();
    }
  }
}
