/** HMAC-SHA-256 and random bytes by the runtime's own code: no caller has data of a size where a library would matter. */
import { createHmac } from "node:crypto";

const RANDOM_PIECE = 65536;

/** HMAC-SHA-256 (32 bytes) under `key` of all parts in order. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

/** `length` bytes from the system's random generator. */
export function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += RANDOM_PIECE) crypto.getRandomValues(bytes.subarray(at, at + RANDOM_PIECE));
  return bytes;
}
