/** Lets timers, sockets and other threads' results in now and then, while a long loop runs without waiting. */
import { setImmediate } from "node:timers";

/** Milliseconds of work after which other parts of the pipeline get a turn. */
const TURN_MS = 4;

export class Turns {
  /** The first turn is due at once, so that what was aborted before does nothing. */
  #started = -Infinity;
  readonly #signal?: AbortSignal;

  /** With `signal`, the wait rejects with its reason once it is aborted. */
  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** A promise to wait for when it is others' turn. */
  next(): Promise<void> | undefined {
    if (performance.now() - this.#started <= TURN_MS) return undefined;
    return this.#yield();
  }

  async #yield(): Promise<void> {
    // A zero timeout takes two milliseconds, this a few microseconds.
    await new Promise<void>((resolve) => void setImmediate(resolve));
    this.#signal?.throwIfAborted();
    this.#started = performance.now();
  }
}
