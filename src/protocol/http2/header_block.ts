/** Puts HEADERS and CONTINUATION together: RFC 9113 §6.2 and §6.10. */
import { concatBytes } from "../../base/bytes.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import { Flag, readU32 } from "./frames.ts";

/** Compressed header blocks above this size, or in more frames, are an attack. */
const MAX_BLOCK = 64 * 1024;
const MAX_FRAMES = 64;

/** A complete header block. */
export interface HeaderBlock {
  readonly streamId: number;
  readonly endStream: boolean;
  readonly block: Uint8Array;
}

/** Collects the one header block that can be open at a time. */
export class HeaderAssembler {
  #parts: Uint8Array[] = [];
  #size = 0;
  #streamId = 0;
  #endStream = false;

  /** True between HEADERS and the last CONTINUATION: no other frame may come. */
  get open(): boolean {
    return this.#streamId !== 0;
  }

  /** Takes a HEADERS frame. The complete block, or undefined when CONTINUATION must follow. */
  start(flags: number, streamId: number, payload: Uint8Array): HeaderBlock | undefined {
    const fragment = stripHeaders(flags, streamId, payload);
    const endStream = (flags & Flag.END_STREAM) !== 0;
    if (flags & Flag.END_HEADERS) return { streamId, endStream, block: fragment };
    this.#streamId = streamId;
    this.#endStream = endStream;
    this.#parts = [];
    this.#size = 0;
    this.#add(fragment);
    return undefined;
  }

  /** Takes a CONTINUATION frame, like `start`. Throws when none is due or there is too much. */
  next(flags: number, streamId: number, payload: Uint8Array): HeaderBlock | undefined {
    if (!this.open || streamId !== this.#streamId) {
      throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "CONTINUATION without its HEADERS");
    }
    this.#add(payload);
    if (!(flags & Flag.END_HEADERS)) return undefined;
    const block = { streamId, endStream: this.#endStream, block: concatBytes(...this.#parts) };
    this.#streamId = 0;
    this.#parts = [];
    return block;
  }

  #add(fragment: Uint8Array): void {
    this.#size += fragment.length;
    if (this.#size > MAX_BLOCK || this.#parts.length >= MAX_FRAMES) {
      throw new Http2Error(ErrorCode.ENHANCE_YOUR_CALM, "header block too large");
    }
    this.#parts.push(fragment.slice());
  }
}

function stripHeaders(flags: number, streamId: number, payload: Uint8Array): Uint8Array {
  let start = 0;
  let end = payload.length;
  if (flags & Flag.PADDED) {
    if (payload.length < 1) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "padded HEADERS without a pad length");
    start = 1;
    end -= payload[0];
  }
  if (flags & Flag.PRIORITY) {
    if (end - start < 5) throw new Http2Error(ErrorCode.FRAME_SIZE_ERROR, "HEADERS too short for its priority");
    checkDependency(streamId, payload, start);
    start += 5;
  }
  if (end < start) throw new Http2Error(ErrorCode.PROTOCOL_ERROR, "more padding than payload in HEADERS");
  return payload.subarray(start, end);
}

/** Priorities are ignored, but a stream that depends on itself is an error (RFC 7540 §5.3.1). */
export function checkDependency(streamId: number, payload: Uint8Array, offset: number): void {
  if ((readU32(payload, offset) & 0x7fff_ffff) === streamId) {
    throw new Http2Error(ErrorCode.PROTOCOL_ERROR, `stream ${streamId} depends on itself`);
  }
}
