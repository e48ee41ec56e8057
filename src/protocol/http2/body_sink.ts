/** Where the bytes of a received body go: into one buffer, or nowhere. */
import { DozoError } from "../../base/errors.ts";
import type { BufferPool } from "./buffer_pool.ts";

/** Takes a body piece by piece. */
export interface BodySink {
  /** What becomes of the bytes: kept until the request is answered, dropped at once, or queued for a slower reader. */
  readonly kind: "keeps" | "drops" | "queues";
  /** Takes a piece (copies what it keeps). Throws to refuse the rest of the body. */
  write(piece: Uint8Array): void;
  end(): void;
  fail(error: Error): void;
}

/** Settles a promise from outside. */
export interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

const FIRST_SIZE = 64 * 1024;

/** Copies a body into one buffer: once, when the size was known before. */
export class Collector implements BodySink {
  readonly kind = "keeps";
  readonly #limit: number;
  readonly #expected: number;
  readonly #settle: Settle<Uint8Array<ArrayBuffer>>;
  readonly #pool?: BufferPool;
  #buffer = new Uint8Array(0);
  #filled = 0;

  /**
   * `limit` and `expected` (0 when unknown) in bytes. Memory is taken when the first byte comes, not on a peer's word;
   * from `pool` if there is one, and then `giveBack` returns it.
   */
  constructor(limit: number, expected: number, settle: Settle<Uint8Array<ArrayBuffer>>, pool?: BufferPool) {
    this.#limit = limit;
    this.#expected = Math.min(limit, expected);
    this.#settle = settle;
    this.#pool = pool;
  }

  write(piece: Uint8Array): void {
    const needed = this.#filled + piece.length;
    if (needed > this.#limit) throw bodyTooLong(this.#limit);
    if (needed > this.#buffer.length) this.#grow(needed);
    this.#buffer.set(piece, this.#filled);
    this.#filled = needed;
  }

  end(): void {
    const body = this.#buffer;
    const wasteful = !this.#pool && body.length - this.#filled > FIRST_SIZE && body.length > 1.25 * this.#filled;
    this.#settle.resolve(wasteful ? body.slice(0, this.#filled) : body.subarray(0, this.#filled));
  }

  fail(error: Error): void {
    this.giveBack();
    this.#settle.reject(error);
  }

  /** Nobody uses the buffer any more. */
  giveBack(): void {
    this.#pool?.give(this.#buffer);
    this.#buffer = new Uint8Array(0);
  }

  #grow(needed: number): void {
    const first = this.#expected > 0 ? this.#expected : FIRST_SIZE;
    const size = Math.min(this.#limit, Math.max(needed, this.#filled === 0 ? first : 2 * this.#buffer.length));
    const larger = this.#pool ? this.#pool.take(size) : new Uint8Array(size);
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.giveBack();
    this.#buffer = larger;
  }
}

/** Throws a body away and counts it. */
export class Discarder implements BodySink {
  readonly kind = "drops";
  readonly #settle?: Settle<number>;
  #count = 0;

  constructor(settle?: Settle<number>) {
    this.#settle = settle;
  }

  write(piece: Uint8Array): void {
    this.#count += piece.length;
  }

  end(): void {
    this.#settle?.resolve(this.#count);
  }

  fail(error: Error): void {
    this.#settle?.reject(error);
  }
}

/** The error of a body that is longer than its reader accepts. */
export function bodyTooLong(limit: number): DozoError {
  return new DozoError(`the body is longer than ${limit} bytes`);
}
