/** One HTTP/2 stream: RFC 9113 §5.1. */
import type { BufferPool } from "./buffer_pool.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import { IncomingBody } from "./incoming_body.ts";
import { MAX_WINDOW } from "./settings.ts";

/** What a peer may send on a stream before it has seen our SETTINGS, bytes. */
const INITIAL_WINDOW = 65535;

/** What a stream asks of its connection. */
export interface StreamHost {
  /** Announce `increment` more bytes of this stream's receive window. */
  sendWindowUpdate(stream: Stream, increment: number): void;
  /** `bytes` of this stream are not in memory any more. */
  freed(bytes: number): void;
  /** Memory of request bodies. */
  readonly pool?: BufferPool;
}

/** State of one stream. The connection drives it. */
export class Stream {
  readonly id: number;
  /** Bytes that may be sent; negative after the peer lowered its initial window. */
  sendWindow: number;
  /** We have sent END_STREAM. */
  localClosed = false;
  /** The peer has sent END_STREAM. */
  remoteClosed = false;
  /** Gone from the connection, by end or reset. */
  closed = false;
  /** Runs once when the stream is gone; with an error unless both sides ended it. */
  onClosed?: (error?: Error) => void;
  readonly #host: StreamHost;
  readonly #fullWindow: number;
  #receiveWindow: number;
  #consumed = 0;
  #held = 0;
  #received = 0;
  #expected?: number;
  #opened = false;
  #body?: IncomingBody;

  constructor(host: StreamHost, id: number, sendWindow: number, receiveWindow: number) {
    this.#host = host;
    this.id = id;
    this.sendWindow = sendWindow;
    this.#fullWindow = receiveWindow;
    // The peer may have begun before it knew of a smaller window (§6.9.2).
    this.#receiveWindow = Math.max(receiveWindow, INITIAL_WINDOW);
  }

  /** Body that the peer sends; `open` comes first. */
  get body(): IncomingBody {
    return this.#body ??= new IncomingBody({
      consumed: (bytes) => this.#consume(bytes),
      freed: (bytes) => this.#free(bytes),
      pool: this.#host.pool,
    }, this.#expected);
  }

  /** The message's head is here; `contentLength` if it has one. */
  open(contentLength?: number): void {
    this.#expected = contentLength;
    this.#opened = true;
  }

  /** Counts a DATA frame's flow-controlled length. Throws when it exceeds the window or comes before the head. */
  receiveFrame(length: number): void {
    if (!this.#opened) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "DATA before HEADERS", { streamId: this.id });
    if (length > this.#receiveWindow) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "more data than the stream's window", { streamId: this.id });
    }
    this.#receiveWindow -= length;
  }

  /** Padding takes window but no memory. */
  skipPadding(bytes: number): void {
    this.#consume(bytes);
    this.#host.freed(bytes);
  }

  /** Takes a piece of the body. Throws when it is longer than `content-length`. */
  receive(piece: Uint8Array): void {
    this.#received += piece.length;
    this.#held += piece.length;
    if (this.#expected !== undefined && this.#received > this.#expected) throw this.#lengthError();
    this.body.push(piece);
  }

  /** The peer ended its side. Throws when the body is shorter than `content-length`. */
  receiveEnd(): void {
    if (this.#expected !== undefined && this.#received !== this.#expected) throw this.#lengthError();
    this.remoteClosed = true;
    this.body.end();
  }

  /** Adds to the send window. Throws when that exceeds 2³¹−1. */
  addSendWindow(increment: number): void {
    this.sendWindow += increment;
    if (this.sendWindow > MAX_WINDOW) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "the stream's window overflows", { streamId: this.id });
    }
  }

  /** Bytes of the body that its reader holds are done with. */
  releaseHeld(): void {
    if (this.#held > 0) this.#free(this.#held);
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    if (this.remoteClosed || this.closed || this.#consumed < this.#fullWindow / 2) return;
    this.#receiveWindow += this.#consumed;
    this.#host.sendWindowUpdate(this, this.#consumed);
    this.#consumed = 0;
  }

  #free(bytes: number): void {
    const freed = Math.min(bytes, this.#held);
    this.#held -= freed;
    this.#host.freed(freed);
  }

  #lengthError(): Http2Error {
    const what = `body of ${this.#received} bytes where content-length says ${this.#expected}`;
    return new Http2Error(ErrorCode.PROTOCOL_ERROR, what, { streamId: this.id });
  }
}
