/** Cuts a byte stream into frames: RFC 9113 §4. Pure: bytes in, calls out. */
import { ErrorCode, Http2Error } from "./errors.ts";
import { Flag, FRAME_HEADER_SIZE, FrameType, readU32 } from "./frames.ts";

/** Receives the frames in order. What it throws comes out of `FrameParser.push`. */
export interface FrameSink {
  /** A whole frame of any type but DATA. `payload` is valid only during the call; empty for unknown types. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void;
  /** A DATA frame begins; `length` is what flow control counts (padding included). */
  dataStart(streamId: number, flags: number, length: number): void;
  /** Some of its bytes, without padding; valid only during the call unless the caller of `push` says otherwise. */
  dataPiece(piece: Uint8Array): void;
  /** The DATA frame is complete. */
  dataEnd(): void;
}

/** Largest payload of a frame that is not DATA: header blocks and everything else are far smaller. */
const MAX_OTHER_PAYLOAD = 64 * 1024;

/** Payload length that a frame type must have. */
const FIXED_LENGTH: Readonly<Record<number, number>> = {
  [FrameType.PRIORITY]: 5,
  [FrameType.RST_STREAM]: 4,
  [FrameType.PING]: 8,
  [FrameType.WINDOW_UPDATE]: 4,
};

type State = "expect" | "header" | "payload" | "padLength" | "data" | "skip";

/** Incremental parser. After it threw, the connection is lost: do not push again. */
export class FrameParser {
  readonly #sink: FrameSink;
  readonly #maxFrameSize: number;
  #expected: Uint8Array;
  #state: State;
  /** Frame header, or a payload that came in several pieces. */
  readonly #header = new Uint8Array(FRAME_HEADER_SIZE);
  #payload = new Uint8Array(0);
  #filled = 0;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  #left = 0;
  #padding = 0;

  /** `preface`: bytes that must come before the first frame (for a server). */
  constructor(sink: FrameSink, maxFrameSize: number, preface: Uint8Array = new Uint8Array(0)) {
    this.#sink = sink;
    this.#maxFrameSize = maxFrameSize;
    this.#expected = preface;
    this.#state = preface.length > 0 ? "expect" : "header";
  }

  /** Takes the next bytes of the stream. Throws {@link Http2Error} when they are no HTTP/2. */
  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length) {
      switch (this.#state) {
        case "expect":
          at = this.#expect(chunk, at);
          break;
        case "header":
          at = this.#fillHeader(chunk, at);
          break;
        case "payload":
          at = this.#fillPayload(chunk, at);
          break;
        case "padLength":
          this.#startPadded(chunk[at++]);
          break;
        case "data":
          at = this.#passData(chunk, at);
          break;
        case "skip":
          at = this.#skip(chunk, at);
          break;
      }
    }
  }

  #expect(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#expected.length, chunk.length - at);
    for (let i = 0; i < count; i++) {
      if (chunk[at + i] !== this.#expected[i]) {
        throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "the peer does not begin with the HTTP/2 preface");
      }
    }
    this.#expected = this.#expected.subarray(count);
    if (this.#expected.length === 0) this.#state = "header";
    return at + count;
  }

  #fillHeader(chunk: Uint8Array, at: number): number {
    const count = Math.min(FRAME_HEADER_SIZE - this.#filled, chunk.length - at);
    for (let i = 0; i < count; i++) this.#header[this.#filled + i] = chunk[at + i];
    this.#filled += count;
    if (this.#filled === FRAME_HEADER_SIZE) {
      this.#filled = 0;
      this.#startFrame();
    }
    return at + count;
  }

  #startFrame(): void {
    const header = this.#header;
    const length = (header[0] << 16) | (header[1] << 8) | header[2];
    this.#type = header[3];
    this.#flags = header[4];
    this.#streamId = readU32(header, 5) & 0x7fff_ffff;
    this.#checkLength(length);
    this.#left = length;
    if (this.#type === FrameType.DATA) return this.#startData(length);
    if (!isKept(this.#type)) {
      this.#sink.frame(this.#type, this.#flags, this.#streamId, new Uint8Array(0));
      this.#state = length > 0 ? "skip" : "header";
      return;
    }
    if (length === 0) this.#sink.frame(this.#type, this.#flags, this.#streamId, new Uint8Array(0));
    else this.#state = "payload";
  }

  #checkLength(length: number): void {
    const fixed = FIXED_LENGTH[this.#type];
    const tooLong = length > this.#maxFrameSize || (length > MAX_OTHER_PAYLOAD && isKept(this.#type));
    if (tooLong || (fixed !== undefined && length !== fixed)) {
      // A wrong PRIORITY length could be kept to its stream (§6.3), but ending the connection is allowed as well.
      throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, `frame of type ${this.#type} with ${length} bytes`);
    }
  }

  #startData(length: number): void {
    this.#padding = 0;
    this.#sink.dataStart(this.#streamId, this.#flags, length);
    if (this.#flags & Flag.PADDED) {
      if (length === 0) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "padded DATA frame without a pad length");
      this.#state = "padLength";
    } else if (length === 0) {
      this.#endData();
    } else {
      this.#state = "data";
    }
  }

  #startPadded(padding: number): void {
    this.#left--;
    if (padding > this.#left) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "more padding than payload in a DATA frame");
    }
    this.#padding = padding;
    this.#left -= padding;
    if (this.#left > 0) this.#state = "data";
    else this.#endDataBytes();
  }

  #passData(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    this.#left -= count;
    this.#sink.dataPiece(at === 0 && count === chunk.length ? chunk : chunk.subarray(at, at + count));
    if (this.#left === 0) this.#endDataBytes();
    return at + count;
  }

  #endDataBytes(): void {
    this.#left = this.#padding;
    if (this.#left > 0) this.#state = "skip";
    else this.#endData();
  }

  #endData(): void {
    this.#state = "header";
    this.#sink.dataEnd();
  }

  #skip(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    this.#left -= count;
    if (this.#left === 0) {
      if (this.#type === FrameType.DATA) this.#endData();
      else this.#state = "header";
    }
    return at + count;
  }

  #fillPayload(chunk: Uint8Array, at: number): number {
    const count = Math.min(this.#left, chunk.length - at);
    const piece = chunk.subarray(at, at + count);
    this.#left -= count;
    if (this.#filled === 0 && this.#left === 0) {
      this.#endFrame(piece);
      return at + count;
    }
    if (this.#filled === 0) this.#payload = new Uint8Array(count + this.#left);
    this.#payload.set(piece, this.#filled);
    this.#filled += count;
    if (this.#left === 0) {
      this.#filled = 0;
      this.#endFrame(this.#payload);
    }
    return at + count;
  }

  #endFrame(payload: Uint8Array): void {
    this.#state = "header";
    this.#sink.frame(this.#type, this.#flags, this.#streamId, payload);
  }
}

/** True for frames whose payload is collected: DATA is passed on, unknown types are skipped. */
function isKept(type: number): boolean {
  return type !== FrameType.DATA && type <= FrameType.CONTINUATION;
}
