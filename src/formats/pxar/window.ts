/** A sliding window over a byte stream: synchronous as long as the bytes are there, explicit when more must be pulled. */
import { viewOf } from "../../base/bytes.ts";
import { FormatError } from "../../base/errors.ts";
import type { SequentialSource } from "./sink.ts";

const EMPTY = new Uint8Array(0);

/** Holds at most what {@link fill} asked for plus one piece as the source delivers it. */
export class StreamWindow {
  readonly #source: SequentialSource;
  readonly #name: string;
  #head: Uint8Array = EMPTY;
  #at = 0;
  #queue: Uint8Array[] = [];
  #queued = 0;
  #ended = false;
  #position: number;
  /** Bytes that were skipped but have not arrived yet. */
  #debt = 0;
  #view?: DataView;

  /** `name` appears in errors; `position` is the stream offset of the first byte that the source delivers. */
  constructor(source: SequentialSource, name: string, position = 0) {
    this.#source = source;
    this.#name = name;
    this.#position = position;
  }

  /** Stream offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  /** Bytes that can be taken without waiting. */
  get available(): number {
    return this.#debt > 0 ? 0 : this.#head.length - this.#at + this.#queued;
  }

  /** The next `count` bytes in one piece without taking them, or null when fewer are at hand. Valid until the next fill. */
  peek(count: number): Uint8Array | null {
    if (this.#head.length - this.#at < count || this.#debt > 0) {
      if (this.available < count) return null;
      if (this.#at === this.#head.length) this.#advance();
      if (this.#head.length - this.#at < count) this.#join(count);
    }
    return this.#head.subarray(this.#at, this.#at + count);
  }

  /** A view on the piece at hand, and the index in it of the next byte; valid right after a successful {@link peek}. */
  get view(): DataView {
    return this.#view ??= viewOf(this.#head);
  }
  get index(): number {
    return this.#at;
  }

  #join(count: number): void {
    const rest = this.#head.subarray(this.#at);
    const joined = new Uint8Array(count);
    joined.set(rest);
    let filled = rest.length;
    while (filled < count) {
      const next = this.#queue[0];
      const take = Math.min(next.length, count - filled);
      joined.set(next.subarray(0, take), filled);
      filled += take;
      this.#queued -= take;
      if (take === next.length) this.#queue.shift();
      else this.#queue[0] = next.subarray(take);
    }
    this.#head = joined;
    this.#view = undefined;
    this.#at = 0;
  }

  /** The next 1 … `max` bytes as they lie in memory, taken; null when none is at hand. */
  take(max: number): Uint8Array | null {
    if (this.available === 0) return null;
    if (this.#at === this.#head.length) this.#advance();
    const piece = this.#head.subarray(this.#at, this.#at + Math.min(max, this.#head.length - this.#at));
    this.#at += piece.length;
    this.#position += piece.length;
    return piece;
  }

  #advance(): void {
    this.#head = this.#queue.shift() ?? EMPTY;
    this.#queued -= this.#head.length;
    this.#view = undefined;
    this.#at = 0;
  }

  /** Takes `count` bytes that {@link peek} showed. */
  consume(count: number): void {
    this.#at += count;
    this.#position += count;
  }

  /** Moves on by `count` bytes, at hand or not; what is missing is skipped by the next {@link fill}. */
  skip(count: number): void {
    this.#position += count;
    if (this.#debt > 0) {
      this.#debt += count;
      return;
    }
    while (count > 0) {
      const here = this.#head.length - this.#at;
      if (here >= count) {
        this.#at += count;
        return;
      }
      count -= here;
      this.#at = this.#head.length;
      if (this.#queue.length === 0) {
        this.#debt = count;
        return;
      }
      this.#advance();
    }
  }

  /** Waits until at least `count` bytes are at hand. Throws {@link FormatError} when the stream ends before. */
  async fill(count: number): Promise<void> {
    if (this.#debt > 0) await this.#settle();
    while (this.available < count) {
      const piece = this.#ended ? null : await this.#source.pull();
      if (!piece) {
        this.#ended = true;
        throw new FormatError(`pxar: ${this.#name} is truncated`, { offset: this.#position + this.available });
      }
      this.#push(piece);
    }
  }

  /** True when nothing follows; pulls once where that is not known yet. */
  async atEnd(): Promise<boolean> {
    if (this.#debt > 0) return false;
    if (this.available > 0) return false;
    if (this.#ended) return true;
    const piece = await this.#source.pull();
    if (piece) this.#push(piece);
    else this.#ended = true;
    return this.#ended;
  }

  #push(piece: Uint8Array): void {
    if (this.#at === this.#head.length && this.#queue.length === 0) {
      this.#head = piece;
      this.#view = undefined;
      this.#at = 0;
    } else {
      this.#queue.push(piece);
      this.#queued += piece.length;
    }
  }

  async #settle(): Promise<void> {
    if (this.#source.skip) {
      const debt = this.#debt;
      await this.#source.skip(debt);
      this.#debt = 0;
      return;
    }
    while (this.#debt > 0) {
      const piece = this.#ended ? null : await this.#source.pull();
      if (!piece) {
        this.#ended = true;
        throw new FormatError(`pxar: ${this.#name} is truncated`, { offset: this.#position - this.#debt });
      }
      if (piece.length <= this.#debt) this.#debt -= piece.length;
      else {
        this.#push(piece.subarray(this.#debt));
        this.#debt = 0;
      }
    }
  }
}
