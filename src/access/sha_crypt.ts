/** SHA-crypt, the `$5$` and `$6$` password hashes, for machines without libcrypt (public specification by U. Drepper, 2007). */
import { createHash } from "node:crypto";

const ALPHABET = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const DEFAULT_ROUNDS = 5000;
const MIN_ROUNDS = 1000;
const MAX_ROUNDS = 999_999_999;

/** Byte order of the output: groups of three bytes become four characters. */
function triples(kind: "5" | "6"): number[][] {
  const size = kind === "5" ? 32 : 64;
  const third = Math.floor(size / 3);
  const groups: number[][] = [];
  let [a, b, c] = [0, third, 2 * third];
  for (let i = 0; i < third; i++) {
    groups.push([a, b, c]);
    [a, b, c] = kind === "5" ? [c + 1, a + 1, b + 1] : [b + 1, c + 1, a + 1];
  }
  groups.push(kind === "5" ? [-1, 31, 30] : [-1, -1, 63]);
  return groups;
}

function encode(kind: "5" | "6", digest: Uint8Array): string {
  let text = "";
  for (const group of triples(kind)) {
    const used = group.filter((index) => index >= 0).length;
    let value = group.reduce((sum, index) => sum * 256 + (index < 0 ? 0 : digest[index]), 0);
    for (let i = 0; i <= used; i++) {
      text += ALPHABET[value & 63];
      value >>= 6;
    }
  }
  return text;
}

/** Hash of `password` under a `$5$` or `$6$` setting; undefined for another one. Takes about 10 ms. */
export function shaCrypt(password: string, setting: string): string | undefined {
  const match = /^\$([56])\$(?:rounds=(\d{1,10})\$)?([^$]{0,16})/.exec(setting);
  if (!match) return undefined;
  const kind = match[1] === "5" ? "5" : "6";
  const rounds = match[2] === undefined ? DEFAULT_ROUNDS : Math.min(MAX_ROUNDS, Math.max(MIN_ROUNDS, Number(match[2])));
  const algorithm = kind === "5" ? "sha256" : "sha512";
  const size = kind === "5" ? 32 : 64;
  const key = new TextEncoder().encode(password);
  const salt = new TextEncoder().encode(match[3]);
  const hash = (...parts: Uint8Array[]): Uint8Array => {
    const state = createHash(algorithm);
    for (const part of parts) state.update(part);
    return state.digest();
  };
  const stretch = (block: Uint8Array, length: number): Uint8Array => {
    const stretched = new Uint8Array(length);
    for (let at = 0; at < length; at += size) stretched.set(block.subarray(0, Math.min(size, length - at)), at);
    return stretched;
  };

  const inner = hash(key, salt, key);
  const parts = [key, salt, stretch(inner, key.length)];
  for (let length = key.length; length > 0; length >>= 1) parts.push(length & 1 ? inner : key);
  let digest = hash(...parts);
  const p = stretch(hash(...new Array<Uint8Array>(key.length).fill(key)), key.length);
  const s = stretch(hash(...new Array<Uint8Array>(16 + digest[0]).fill(salt)), salt.length);
  for (let round = 0; round < rounds; round++) {
    digest = hash(
      round & 1 ? p : digest,
      ...(round % 3 ? [s] : []),
      ...(round % 7 ? [p] : []),
      round & 1 ? digest : p,
    );
  }
  const prefix = match[2] === undefined ? "" : `rounds=${rounds}$`;
  return `$${kind}$${prefix}${match[3]}$${encode(kind, digest)}`;
}
