/** Flow control of the receiving side: RFC 9113 §5.2. */
import { ErrorCode, Http2Error } from "./errors.ts";

/** Given to a stalled peer when only more data can bring a request to its end. */
const STEP = 1024 * 1024;

/**
 * Window of the whole connection, coupled to memory: bytes that were received and not released yet count against a
 * budget, and the window shrinks so that window plus held bytes stay within it. When the window is used up while no
 * complete request is being worked on, nothing would ever be released: then the peer gets a little more, up to a hard cap.
 */
export class ReceiveCredit {
  readonly #target: number;
  readonly #budget: number;
  readonly #cap: number;
  readonly #step: number;
  #window: number;
  #held = 0;

  /**
   * `initial`: window the peer starts with. Of the options, in bytes: `connectionWindow` is the full window, `receiveBudget`
   * what may be held before it shrinks, `receiveLimit` the cap.
   */
  constructor(
    initial: number,
    options: { readonly connectionWindow: number; readonly receiveBudget: number; readonly receiveLimit: number },
  ) {
    this.#window = initial;
    this.#target = options.connectionWindow;
    this.#budget = options.receiveBudget;
    this.#cap = options.receiveLimit;
    this.#step = Math.min(STEP, this.#target);
  }

  /** Bytes received and not released. */
  get held(): number {
    return this.#held;
  }

  /** Counts flow-controlled bytes. Throws when the peer sent more than its window. */
  receive(bytes: number): void {
    if (bytes > this.#window) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more data than the connection window");
    }
    this.#window -= bytes;
    this.#held += bytes;
  }

  /** Bytes are not in memory any more. */
  release(bytes: number): void {
    this.#held -= bytes;
  }

  /**
   * Bytes to announce by WINDOW_UPDATE now, 0 for none. `working` tells whether some complete request will
   * release bytes when it is answered. Throws ENHANCE_YOUR_CALM when unfinished requests alone reach the cap.
   */
  grant(working: () => boolean): number {
    let increment = Math.min(this.#target, this.#budget - this.#held) - this.#window;
    if (increment < this.#target / 16) {
      if (this.#window >= this.#step / 2 || working()) return 0;
      if (this.#held + this.#step > this.#cap) {
        throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "too much data in unfinished requests");
      }
      increment = Math.max(increment, this.#step - this.#window);
    }
    this.#window += increment;
    return increment;
  }
}
