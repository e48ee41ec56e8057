/** Variable-length integers of the catalog (`spec/catalog.md` §2). */
import { FormatError } from "../base/errors.ts";

/** Longest encodings in bytes. */
export const MAX_VARINT_LENGTH = 10;
export const MAX_SVARINT_LENGTH = 11;

/** Appends `value` (an integer from 0 to 2⁶⁴−1) to `out` in groups of 7 bits, least significant first. */
export function pushVarint(out: number[], value: number | bigint): void {
  if (typeof value === "bigint" && value > BigInt(Number.MAX_SAFE_INTEGER)) {
    for (; value >= 0x80n; value >>= 7n) out.push(Number(value & 0x7fn) | 0x80);
    out.push(Number(value));
    return;
  }
  let rest = Number(value);
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) out.push((rest % 0x80) | 0x80);
  out.push(rest);
}

/** Appends a signed integer: negative ones as magnitude with every continuation bit set, then a zero byte. */
export function pushSvarint(out: number[], value: number | bigint): void {
  if (value >= 0) return pushVarint(out, value);
  let rest = -BigInt(value);
  for (; rest > 0n; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  out.push(0);
}

/** Source of single bytes; throws at the end of what may be read. */
export interface ByteReader {
  readonly offset: number;
  byte(): number;
}

/** Reads an unsigned integer. Throws {@link FormatError} when it is longer than 10 bytes or above 2⁵³−1. */
export function readVarint(reader: ByteReader): number {
  const offset = reader.offset;
  let value = 0;
  let factor = 1;
  for (let i = 0; i < MAX_VARINT_LENGTH; i++, factor *= 0x80) {
    const byte = reader.byte();
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return checked(value, offset);
  }
  throw new FormatError("over-long number", { offset });
}

/** Reads a signed integer. Throws {@link FormatError} when it is longer than 11 bytes or beyond ±(2⁵³−1). */
export function readSvarint(reader: ByteReader): number {
  const offset = reader.offset;
  let value = 0;
  let factor = 1;
  for (let i = 0; i < MAX_SVARINT_LENGTH; i++, factor *= 0x80) {
    const byte = reader.byte();
    if (byte === 0) return value === 0 ? 0 : -checked(value, offset);
    value += (byte & 0x7f) * factor;
    if (byte < 0x80) return checked(value, offset);
  }
  throw new FormatError("over-long number", { offset });
}

function checked(value: number, offset: number): number {
  if (!Number.isSafeInteger(value)) throw new FormatError("number too large", { offset });
  return value;
}
