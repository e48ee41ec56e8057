/** Token bucket for `--rate` and `--burst` (row CL-49). */
import { DozoError } from "../../base/errors.ts";

/** Below this a single 16 MiB chunk takes longer than the two minutes a request may last. */
const LOWEST_RATE = 150_000;

/** Lets `rate` bytes per second pass, with `burst` bytes at once after a pause. */
export class RateLimit {
  readonly #rate: number;
  readonly #burst: number;
  #tokens: number;
  #last: number;

  /** `rate` in bytes per second, `burst` in bytes (default one second's worth). Throws for a rate that cannot work. */
  constructor(rate: number, burst: number = rate, now: number = performance.now()) {
    if (rate < LOWEST_RATE) {
      throw new DozoError(
        `a rate of ${rate} bytes per second is too low: one chunk would outlast the request timeout; ` +
          `use at least ${LOWEST_RATE}`,
      );
    }
    this.#rate = rate;
    this.#burst = Math.max(burst, 1);
    this.#tokens = this.#burst;
    this.#last = now;
  }

  /** Waits until `bytes` may pass. The bucket may go into debt, so a chunk larger than the burst still passes. */
  async take(bytes: number): Promise<void> {
    const wait = this.reserve(bytes, performance.now());
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
  }

  /** Books `bytes` at time `now` (milliseconds) and returns the milliseconds to wait for them. */
  reserve(bytes: number, now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#last) * this.#rate / 1000);
    this.#last = now;
    this.#tokens -= bytes;
    return this.#tokens >= 0 ? 0 : -this.#tokens * 1000 / this.#rate;
  }
}
