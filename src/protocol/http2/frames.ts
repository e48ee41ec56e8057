/** Frame layout: RFC 9113 §4 and §6. Builders for the frames that are sent. */
import { encodeSettings, type Settings } from "./settings.ts";

/** Frame types (§6). */
export const FrameType = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;

/** Frame flags; ACK shares its bit with END_STREAM. */
export const Flag = { ACK: 1, END_STREAM: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 0x20 } as const;

/** Bytes of a frame header. */
export const FRAME_HEADER_SIZE = 9;

/** What a client sends first (§3.4). */
export const PREFACE = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** Frame with the given payload. */
export function buildFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(FRAME_HEADER_SIZE + payload.length);
  writeFrameHeader(frame, payload.length, type, flags, streamId);
  frame.set(payload, FRAME_HEADER_SIZE);
  return frame;
}

/** Frame header alone, for a payload that is written behind it. */
export function buildFrameHeader(
  length: number,
  type: number,
  flags: number,
  streamId: number,
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(FRAME_HEADER_SIZE);
  writeFrameHeader(header, length, type, flags, streamId);
  return header;
}

/** SETTINGS frame. */
export function buildSettings(settings: Partial<Settings>): Uint8Array<ArrayBuffer> {
  return buildFrame(FrameType.SETTINGS, 0, 0, encodeSettings(settings));
}

/** Acknowledgement of a SETTINGS frame. */
export function buildSettingsAck(): Uint8Array<ArrayBuffer> {
  return buildFrameHeader(0, FrameType.SETTINGS, Flag.ACK, 0);
}

/** Answer to a PING with the same 8 octets. */
export function buildPingAck(data: Uint8Array): Uint8Array<ArrayBuffer> {
  return buildFrame(FrameType.PING, Flag.ACK, 0, data);
}

/** RST_STREAM. */
export function buildReset(streamId: number, code: number): Uint8Array<ArrayBuffer> {
  return buildFrame(FrameType.RST_STREAM, 0, streamId, u32(code));
}

/** WINDOW_UPDATE; stream 0 is the connection. */
export function buildWindowUpdate(streamId: number, increment: number): Uint8Array<ArrayBuffer> {
  return buildFrame(FrameType.WINDOW_UPDATE, 0, streamId, u32(increment));
}

/** GOAWAY with a short text for whoever debugs the peer. */
export function buildGoaway(lastStreamId: number, code: number, text = ""): Uint8Array<ArrayBuffer> {
  const debug = new TextEncoder().encode(text.slice(0, 200));
  const payload = new Uint8Array(8 + debug.length);
  payload.set(u32(lastStreamId));
  payload.set(u32(code), 4);
  payload.set(debug, 8);
  return buildFrame(FrameType.GOAWAY, 0, 0, payload);
}

/** HEADERS and as many CONTINUATION frames as the peer's frame size asks for, in one array. */
export function buildHeaders(
  streamId: number,
  block: Uint8Array,
  endStream: boolean,
  maxFrameSize: number,
): Uint8Array<ArrayBuffer> {
  const count = Math.max(1, Math.ceil(block.length / maxFrameSize));
  const frames = new Uint8Array(count * FRAME_HEADER_SIZE + block.length);
  let at = 0;
  for (let i = 0; i < count; i++) {
    const part = block.subarray(i * maxFrameSize, (i + 1) * maxFrameSize);
    const flags = (i === 0 && endStream ? Flag.END_STREAM : 0) | (i === count - 1 ? Flag.END_HEADERS : 0);
    const type = i === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
    writeFrameHeader(frames.subarray(at), part.length, type, flags, streamId);
    frames.set(part, at + FRAME_HEADER_SIZE);
    at += FRAME_HEADER_SIZE + part.length;
  }
  return frames;
}

/** Big-endian u32 at `offset`. */
export function readU32(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] << 24) | (bytes[offset + 1] << 16) | (bytes[offset + 2] << 8) | bytes[offset + 3]) >>> 0;
}

function writeFrameHeader(out: Uint8Array, length: number, type: number, flags: number, streamId: number): void {
  out[0] = length >>> 16;
  out[1] = length >>> 8;
  out[2] = length;
  out[3] = type;
  out[4] = flags;
  out.set(u32(streamId), 5);
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}
