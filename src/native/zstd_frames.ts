/** Structure of zstd data (RFC 8878 §3.1): where its frames end and how large their content can be, without decompressing. */
import { viewOf } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";

/** One data frame; skippable frames are passed over. */
export interface ZstdFrame {
  /** Position of the first byte of the frame. */
  readonly start: number;
  /** Position behind the frame. */
  readonly end: number;
  /** Content size as the header announces it; undefined where it does not. */
  readonly contentSize?: number;
  /** Most bytes that the blocks can decompress to. */
  readonly bound: number;
}

const MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const MAX_BLOCK_SIZE = 128 * 1024;
const DICTIONARY_ID_SIZES = [0, 1, 2, 4];
const CONTENT_SIZE_SIZES = [0, 2, 4, 8];

/**
 * The data frames of `data`, one after the other. Throws {@link FormatError} with the offset for an empty input, a
 * truncated frame, reserved bits, and anything that is not a frame (trailing garbage).
 */
export function zstdFrames(data: Uint8Array): ZstdFrame[] {
  if (data.length === 0) throw new FormatError("no zstd data", { offset: 0 });
  const frames: ZstdFrame[] = [];
  const view = viewOf(data);
  for (let at = 0; at < data.length;) {
    need(data, at, 4);
    const magic = view.getUint32(at, true);
    if ((magic & 0xffff_fff0) === SKIPPABLE_MAGIC) {
      need(data, at, 8);
      const length = view.getUint32(at + 4, true);
      need(data, at, 8 + length);
      at += 8 + length;
    } else if (magic === MAGIC) {
      const frame = readFrame(data, view, at);
      frames.push(frame);
      at = frame.end;
    } else {
      throw new FormatError(at === 0 ? "not zstd data" : "garbage after the zstd data", { offset: at });
    }
  }
  return frames;
}

function contentSizeBytes(descriptor: number): number {
  const flag = descriptor >> 6;
  return flag === 0 && (descriptor & 0x20) !== 0 ? 1 : CONTENT_SIZE_SIZES[flag];
}

function readFrame(data: Uint8Array, view: DataView, start: number): ZstdFrame {
  need(data, start, 5);
  const descriptor = data[start + 4];
  if (descriptor & 0x08) throw new FormatError("zstd frame with a reserved bit", { offset: start + 4 });
  const hasChecksum = (descriptor & 0x04) !== 0;
  const windowBytes = descriptor & 0x20 ? 0 : 1;
  const headerLength = 5 + windowBytes + DICTIONARY_ID_SIZES[descriptor & 0x03] + contentSizeBytes(descriptor);
  need(data, start, headerLength);
  const sizeBytes = contentSizeBytes(descriptor);
  let at = start + headerLength;
  const sizeAt = at - sizeBytes;
  let bound = 0;
  for (let last = false; !last;) {
    if (at + 3 > data.length) throw truncated(data);
    const header = data[at] | data[at + 1] << 8 | data[at + 2] << 16;
    last = (header & 1) !== 0;
    const kind = (header >> 1) & 3;
    const size = header >> 3;
    if (kind === 3) throw new FormatError("zstd block of a reserved type", { offset: at });
    bound += kind === 2 ? MAX_BLOCK_SIZE : size;
    at += 3 + (kind === 1 ? 1 : size);
    if (at > data.length) throw truncated(data);
  }
  if (hasChecksum) at += 4;
  if (at > data.length) throw truncated(data);
  return { start, end: at, contentSize: contentSizeAt(view, sizeAt, sizeBytes), bound };
}

function contentSizeAt(view: DataView, at: number, bytes: number): number | undefined {
  if (bytes === 1) return view.getUint8(at);
  if (bytes === 2) return view.getUint16(at, true) + 256;
  if (bytes === 4) return view.getUint32(at, true);
  return bytes === 8 ? view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000 : undefined;
}

function need(data: Uint8Array, start: number, length: number): void {
  if (start + length > data.length) throw truncated(data);
}

function truncated(data: Uint8Array): FormatError {
  return new FormatError("zstd data is truncated", { offset: data.length });
}
