/** Decides which bytes go to the socket next: control frames first, then DATA within the peer's windows. */
import type { Duplex } from "node:stream";
import { concatBytes } from "../../base/bytes.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import { buildFrameHeader, Flag, FrameType } from "./frames.ts";
import { MAX_WINDOW, type Settings } from "./settings.ts";
import type { Stream } from "./stream.ts";

/** Bytes given to the socket and not yet taken by it, above which nothing more is given: measured, more doubles the cost. */
const SOCKET_QUEUE = 256 * 1024;
/** One write: measured, larger ones make the TLS layer copy and smaller ones cost more calls. */
const WRITE_SIZE = 128 * 1024;
/** A DATA frame at most, so that control frames do not wait long behind one. */
const MAX_DATA_FRAME = 1024 * 1024;
/** Pieces up to this size are joined with their neighbours before they are written. */
const JOIN_BELOW = 16 * 1024;
/** Bodies with no more left than this go before long ones. */
const SHORT_BODY = 64 * 1024;
/** Control frames that a peer may leave unread. */
const MAX_CONTROL_QUEUE = 1024 * 1024;

/** A body on its way out. */
export interface Outgoing {
  readonly stream: Stream;
  /** Bytes not yet framed. */
  left: number;
  /** No parts will be added. */
  complete: boolean;
  readonly parts: Uint8Array[];
  /** Bytes of `parts[0]` already framed. */
  offset: number;
  /** Runs when END_STREAM was given to the socket. */
  readonly onSent: () => void;
  /** Runs when parts were framed, so that more can be added. */
  onProgress?: () => void;
}

/** Writer of one connection. */
export class Outbox {
  /** Connection send window, bytes. */
  window = 65535;
  readonly #socket: Duplex;
  readonly #peer: Settings;
  readonly #onDataSent: (bytes: number) => void;
  #control: Uint8Array[] = [];
  #controlSize = 0;
  /** Short pieces that go out with the next write. */
  #joined: Uint8Array[] = [];
  #joinedSize = 0;
  /** Payload of the frame whose header was written, still to be written. */
  #payload: Uint8Array[] = [];
  #bodies: Outgoing[] = [];
  #stopped = false;
  #pumping = false;
  readonly #pumpAgain = () => this.pump();

  constructor(socket: Duplex, peer: Settings, onDataSent: (bytes: number) => void) {
    this.#socket = socket;
    this.#peer = peer;
    this.#onDataSent = onDataSent;
  }

  /** Bytes of bodies that wait, with what the socket has not taken yet. */
  get queued(): number {
    let sum = this.#socket.writableLength;
    for (const body of this.#bodies) sum += body.left;
    return sum;
  }

  /** True when everything was given to the socket. */
  get empty(): boolean {
    return this.#control.length === 0 && this.#bodies.length === 0 && this.#payload.length === 0;
  }

  /** Queues a frame that is not DATA. Throws ENHANCE_YOUR_CALM when the peer reads none of them. */
  control(frame: Uint8Array): void {
    this.#control.push(frame);
    this.#controlSize += frame.length;
    if (this.#controlSize > MAX_CONTROL_QUEUE) {
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "the peer does not read its answers");
    }
  }

  /** Queues a body behind the stream's HEADERS. Parts are not copied. */
  body(stream: Stream, parts: readonly Uint8Array[], complete: boolean, onSent: () => void): Outgoing {
    const left = parts.reduce((sum, part) => sum + part.length, 0);
    const outgoing: Outgoing = {
      stream,
      left,
      complete,
      onSent,
      parts: parts.filter((part) => part.length > 0),
      offset: 0,
    };
    this.#bodies.push(outgoing);
    return outgoing;
  }

  /** Adds to a body that was queued incomplete. */
  extend(body: Outgoing, part: Uint8Array): void {
    if (part.length === 0) return;
    body.parts.push(part);
    body.left += part.length;
  }

  /** Forgets the body of a stream that was reset. A frame whose header is out is still completed. */
  drop(stream: Stream): void {
    this.#bodies = this.#bodies.filter((body) => body.stream !== stream);
  }

  /** Adds to the connection's send window. Throws when that exceeds 2³¹−1. */
  addWindow(increment: number): void {
    this.window += increment;
    if (this.window > MAX_WINDOW) {
      throw new Http2Error(ErrorCode.FLOW_CONTROL_ERROR, "the connection window overflows");
    }
  }

  /** Writes what control frames wait and `last`, then nothing more. In the middle of a DATA frame nothing can follow. */
  stop(last: Uint8Array): void {
    if (this.#stopped) return;
    this.#bodies = [];
    if (this.#payload.length === 0 && this.#socket.writable) {
      this.#control.push(last);
      this.#writeControl();
      this.#flushJoined();
    }
    this.#stopped = true;
  }

  /** Writes what may be written now; goes on by itself when the socket has taken it. */
  pump(): void {
    if (this.#stopped || this.#pumping || this.#socket.destroyed || this.#socket.writableEnded) return;
    this.#pumping = true;
    while (this.#socket.writableLength + this.#joinedSize < SOCKET_QUEUE) {
      if (this.#payload.length > 0) this.#writePayload();
      else if (this.#control.length > 0) this.#writeControl();
      else if (!this.#startFrame()) break;
    }
    this.#flushJoined();
    this.#pumping = false;
  }

  #writeControl(): void {
    for (const frame of this.#control) this.#join(frame);
    this.#control = [];
    this.#controlSize = 0;
  }

  #startFrame(): boolean {
    const body = this.#pick();
    if (!body) return false;
    const { stream } = body;
    const size = Math.min(
      body.left,
      Math.max(0, stream.sendWindow),
      this.window,
      this.#peer.maxFrameSize,
      MAX_DATA_FRAME,
    );
    const last = body.complete && size === body.left;
    this.#join(buildFrameHeader(size, FrameType.DATA, last ? Flag.END_STREAM : 0, stream.id));
    this.#takePayload(body, size);
    stream.sendWindow -= size;
    this.window -= size;
    this.#onDataSent(size);
    if (last) {
      this.#bodies.splice(this.#bodies.indexOf(body), 1);
      body.onSent();
    } else {
      body.onProgress?.();
    }
    return true;
  }

  /** First short body that can move, else the first that can: chunks go one after the other, so that each completes early. */
  #pick(): Outgoing | undefined {
    let first: Outgoing | undefined;
    for (const body of this.#bodies) {
      const ready = body.left === 0 ? body.complete : this.window > 0 && body.stream.sendWindow > 0;
      if (!ready) continue;
      if (body.left <= SHORT_BODY) return body;
      first ??= body;
    }
    return first;
  }

  #takePayload(body: Outgoing, size: number): void {
    body.left -= size;
    let left = size;
    while (left > 0) {
      const part = body.parts[0];
      const piece = part.subarray(body.offset, body.offset + left);
      this.#payload.push(piece);
      left -= piece.length;
      body.offset += piece.length;
      if (body.offset === part.length) {
        body.parts.shift();
        body.offset = 0;
      }
    }
  }

  #writePayload(): void {
    const piece = this.#payload[0];
    if (piece.length <= JOIN_BELOW) {
      this.#payload.shift();
      this.#join(piece);
      return;
    }
    this.#flushJoined();
    this.#socket.write(piece.subarray(0, WRITE_SIZE), this.#pumpAgain);
    if (piece.length <= WRITE_SIZE) this.#payload.shift();
    else this.#payload[0] = piece.subarray(WRITE_SIZE);
  }

  #join(piece: Uint8Array): void {
    this.#joined.push(piece);
    this.#joinedSize += piece.length;
    if (this.#joinedSize > WRITE_SIZE) this.#flushJoined();
  }

  #flushJoined(): void {
    if (this.#joined.length === 0) return;
    const bytes = this.#joined.length === 1 ? this.#joined[0] : concatBytes(...this.#joined);
    this.#joined = [];
    this.#joinedSize = 0;
    this.#socket.write(bytes, this.#pumpAgain);
  }
}
