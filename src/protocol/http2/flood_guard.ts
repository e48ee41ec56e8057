/** Bounds how much work without result a peer can cause. */
import { ErrorCode, Http2Error } from "./errors.ts";

const START = 2000;
const PER_SECOND = 500;
const LARGEST = 20_000;

/**
 * An allowance for frames that bring nothing (PING, SETTINGS, PRIORITY, empty DATA, resets, small window updates, unknown
 * types): it grows with time and with data moved, and the connection ends when it is used up.
 */
export class FloodGuard {
  readonly #now: () => number;
  #allowance = START;
  #last: number;

  /** `now`: milliseconds of any clock. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#last = now();
  }

  /** Pays for a frame. Throws ENHANCE_YOUR_CALM when the allowance is used up. */
  spend(cost: number, what: string): void {
    this.#allowance -= cost;
    if (this.#allowance >= 0) return;
    const now = this.#now();
    this.#allowance = Math.min(START, this.#allowance + ((now - this.#last) / 1000) * PER_SECOND);
    this.#last = now;
    if (this.#allowance < 0) throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, `too many ${what}`);
  }

  /** Data was moved: the peer may acknowledge it in small steps. */
  earn(bytes: number): void {
    this.#allowance = Math.min(LARGEST, this.#allowance + 1 + bytes / 1024);
  }
}
