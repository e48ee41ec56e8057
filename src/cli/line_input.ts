/** Collects a typed line; understands what a raw terminal sends for erasing and giving up. */

const END_OF_TEXT = 0x03;
const END_OF_INPUT = 0x04;
const ERASE_LINE = 0x15;

/** A line being typed. */
export class LineInput {
  /** The line is complete or was given up. */
  finished = false;
  /** The person pressed Ctrl-C, or the input ended before anything was typed. */
  cancelled = false;
  #bytes: number[] = [];

  /** What was typed so far. */
  get text(): string {
    return new TextDecoder().decode(Uint8Array.from(this.#bytes));
  }

  /** The next byte, undefined at the end of the input. */
  take(byte: number | undefined): void {
    switch (byte) {
      case undefined:
      case END_OF_INPUT:
        this.finished = true;
        this.cancelled = this.#bytes.length === 0;
        break;
      case END_OF_TEXT:
        this.finished = this.cancelled = true;
        break;
      case 0x0a:
      case 0x0d:
        this.finished = true;
        break;
      case 0x08:
      case 0x7f:
        this.#eraseCharacter();
        break;
      case ERASE_LINE:
        this.#bytes = [];
        break;
      default:
        this.#bytes.push(byte);
    }
  }

  #eraseCharacter(): void {
    let last = this.#bytes.pop();
    while (last !== undefined && (last & 0xc0) === 0x80) last = this.#bytes.pop();
  }
}
