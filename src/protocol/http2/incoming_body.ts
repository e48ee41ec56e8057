/** Body of a received message: waits for its reader, then goes straight to it. */
import { DozoError } from "../../base/errors.ts";
import { type BodySink, bodyTooLong, Collector, Discarder, type Settle } from "./body_sink.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { PieceBuffer } from "./piece_buffer.ts";
import { PieceQueue } from "./piece_queue.ts";
import type { RequestBody } from "./types.ts";

/** What the connection wants to know. */
export interface BodyHooks {
  /** The reader took `bytes`: the stream's window may grow by them. */
  consumed(bytes: number): void;
  /** `bytes` are not in memory any more. */
  freed(bytes: number): void;
  /** Where memory for recycled bodies comes from. */
  readonly pool?: BufferPool;
}

/** Takes DATA from the connection and hands it to whoever asks for it. */
export class IncomingBody implements RequestBody {
  readonly #hooks: BodyHooks;
  readonly #expected: number | undefined;
  readonly #waiting = new PieceBuffer();
  #sink?: BodySink;
  #collector?: Collector;
  #ended = false;
  #error?: Error;

  /** `expected`: value of `content-length`, bytes. */
  constructor(hooks: BodyHooks, expected?: number) {
    this.#hooks = hooks;
    this.#expected = expected;
  }

  readAll(limit: number, sizeHint = 0, recycle = false): Promise<Uint8Array<ArrayBuffer>> {
    return this.collect(limit, sizeHint, recycle ? this.#hooks.pool : undefined);
  }

  /** As `readAll`, in memory from `pool` if there is one. */
  collect(limit: number, sizeHint = 0, pool?: BufferPool): Promise<Uint8Array<ArrayBuffer>> {
    return settled((settle) => {
      if (this.#expected !== undefined && this.#expected > limit) {
        this.#attach(new Discarder());
        settle.reject(bodyTooLong(limit));
        return;
      }
      this.#collector = new Collector(limit, this.#expected ?? sizeHint, settle, pool);
      this.#attach(this.#collector);
    });
  }

  discard(): Promise<number> {
    return settled((settle) => this.#attach(new Discarder(settle)));
  }

  /** The body piece by piece; `onCancel` runs when the reader stops before the end. */
  pieces(onCancel: () => void): AsyncIterable<Uint8Array> {
    const queue = new PieceQueue((bytes) => {
      this.#hooks.consumed(bytes);
      this.#hooks.freed(bytes);
    }, onCancel);
    this.#attach(queue);
    return queue;
  }

  /** The request is answered: what nobody has read is thrown away, recycled memory goes back. */
  abandon(): void {
    const reader = this.#sink;
    if (!reader || !(this.#ended || this.#error)) {
      this.#sink = undefined;
      this.#attach(new Discarder());
      reader?.fail(new DozoError("the request was answered before its body was complete"));
    }
    this.#collector?.giveBack();
  }

  /** DATA came. */
  push(piece: Uint8Array): void {
    if (this.#error || this.#ended) this.#hooks.freed(piece.length);
    else if (this.#sink) this.#pass(piece);
    else this.#waiting.add(piece);
  }

  /** The body is complete. */
  end(): void {
    if (this.#ended || this.#error) return;
    this.#ended = true;
    this.#sink?.end();
  }

  /** The body will not be completed. No effect behind `end`. */
  fail(error: Error): void {
    if (this.#ended || this.#error) return;
    this.#error = error;
    this.#hooks.freed(this.#waiting.length);
    this.#waiting.clear();
    this.#sink?.fail(error);
  }

  #attach(sink: BodySink): void {
    if (this.#sink) throw new Error("the body was read already");
    this.#sink = sink;
    for (let piece = this.#waiting.take(); piece; piece = this.#waiting.take()) this.#pass(piece);
    if (this.#error) this.#sink.fail(this.#error);
    else if (this.#ended) this.#sink.end();
  }

  #pass(piece: Uint8Array): void {
    const sink = this.#sink as BodySink;
    if (sink.kind !== "queues") this.#hooks.consumed(piece.length);
    try {
      sink.write(piece);
      if (sink.kind === "drops") this.#hooks.freed(piece.length);
    } catch (error) {
      this.#sink = new Discarder();
      this.#hooks.freed(piece.length);
      sink.fail(error as Error);
    }
  }
}

/** A promise whose failure, when the reader has gone away meanwhile, must not end the process as unhandled. */
function settled<T>(start: (settle: Settle<T>) => void): Promise<T> {
  const promise = new Promise<T>((resolve, reject) => start({ resolve, reject }));
  promise.catch(() => {});
  return promise;
}
