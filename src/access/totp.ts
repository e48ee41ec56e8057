/** Time-based one-time passwords (RFC 6238) from `otpauth://` URIs (`spec/auth.md` §9.1). */
import { createHmac, timingSafeEqual } from "node:crypto";
import { DozoError } from "../base/errors.ts";

/** What a URI says. */
export interface Totp {
  readonly secret: Uint8Array;
  readonly algorithm: "sha1" | "sha256" | "sha512";
  readonly digits: number;
  /** Seconds per code. */
  readonly period: number;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function decodeBase32(text: string): Uint8Array {
  const bytes: number[] = [];
  let bits = 0, value = 0;
  for (const char of text.replaceAll("=", "").toUpperCase()) {
    const digit = BASE32.indexOf(char);
    if (digit < 0) throw new DozoError("the secret of a TOTP entry is not Base32");
    value = value << 5 | digit;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push(value >> bits & 0xff);
      value &= (1 << bits) - 1;
    }
  }
  return Uint8Array.from(bytes);
}

/** Reads a URI. Throws {@link DozoError}; the message does not hold the secret. */
export function parseTotp(uri: string): Totp {
  const query = /^otpauth:\/\/totp\/[^?]*\?(.*)$/s.exec(uri)?.[1];
  const params = new URLSearchParams(query);
  const algorithm = (params.get("algorithm") ?? "SHA1").toLowerCase();
  const digits = Number(params.get("digits") ?? 6);
  const period = Number(params.get("period") ?? 30);
  const known = algorithm === "sha1" || algorithm === "sha256" || algorithm === "sha512";
  if (!query || !known || !(digits >= 6 && digits <= 8) || !(Number.isInteger(period) && period > 0)) {
    throw new DozoError("a TOTP entry is not a URI that can be used");
  }
  return { secret: decodeBase32(params.get("secret") ?? ""), algorithm, digits, period };
}

/** The code of time step `count`. */
export function totpCode(totp: Totp, count: number): string {
  const counter = new Uint8Array(8);
  new DataView(counter.buffer).setBigUint64(0, BigInt(count));
  const mac = createHmac(totp.algorithm, totp.secret).update(counter).digest();
  const at = mac[mac.length - 1] & 0x0f;
  const value = mac.readUInt32BE(at) & 0x7fff_ffff;
  return String(value % 10 ** totp.digits).padStart(totp.digits, "0");
}

/** The time step for which `code` is right at `now` (Unix seconds), one step early or late allowed; undefined when there is none. */
export function totpStep(totp: Totp, code: string, now: number): number | undefined {
  const given = new TextEncoder().encode(code);
  const current = Math.floor(now / totp.period);
  let found: number | undefined;
  for (const count of [current - 1, current, current + 1]) {
    const expected = new TextEncoder().encode(totpCode(totp, count));
    if (expected.length === given.length && timingSafeEqual(expected, given)) found = count;
  }
  return found;
}
