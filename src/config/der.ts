/** The few DER encodings that a certificate needs (X.690). */
import { concatBytes, fromHex } from "../base/bytes.ts";

function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  const hex = length.toString(16);
  const bytes = fromHex(hex.length % 2 ? `0${hex}` : hex);
  return Uint8Array.of(0x80 | bytes.length, ...bytes);
}

/** One element of the given tag around `parts`. */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = concatBytes(...parts);
  return concatBytes(Uint8Array.of(tag), lengthBytes(content.length), content);
}

export const sequence = (...parts: readonly Uint8Array[]): Uint8Array => der(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Uint8Array => der(0x31, ...parts);
export const boolean = (value: boolean): Uint8Array => der(0x01, Uint8Array.of(value ? 0xff : 0));
export const octets = (value: Uint8Array): Uint8Array => der(0x04, value);
export const utf8 = (value: string): Uint8Array => der(0x0c, new TextEncoder().encode(value));
/** Whole bytes as a bit string. */
export const bits = (value: Uint8Array): Uint8Array => der(0x03, Uint8Array.of(0), value);
/** A positive integer from its big-endian bytes. */
export const integer = (value: Uint8Array): Uint8Array =>
  der(0x02, value[0] & 0x80 ? concatBytes(Uint8Array.of(0), value) : value);

/** An object identifier in dotted form. */
export function oid(dotted: string): Uint8Array {
  const [first, second, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const digits = [arc & 0x7f];
    for (let value = Math.floor(arc / 128); value > 0; value = Math.floor(value / 128)) {
      digits.unshift(value & 0x7f | 0x80);
    }
    bytes.push(...digits);
  }
  return der(0x06, Uint8Array.from(bytes));
}

/** A time in UTC: two-digit year up to 2049, four digits from 2050 (RFC 5280 §4.1.2.5). */
export function time(date: Date): Uint8Array {
  const text = date.toISOString().replace(/[-:T]/g, "").replace(/\.\d+Z$/, "Z");
  const late = date.getUTCFullYear() >= 2050;
  return der(late ? 0x18 : 0x17, new TextEncoder().encode(late ? text : text.slice(2)));
}
