/** Login tickets: `PREFIX:DATA:TIME::SIGNATURE` (`spec/auth.md` §4). */
import { Buffer } from "node:buffer";
import { type KeyObject, sign, verify } from "node:crypto";

/** Bounds of the age of a ticket in seconds: a clock of another process may run a little ahead. */
export const FULL_TICKET_AGE = { min: -300, max: 7200 } as const;
/** Bounds for a ticket that still waits for the second factor. */
export const PARTIAL_TICKET_AGE = { min: -60, max: 600 } as const;

const PREFIX = "PBS";
const PARTIAL_MARK = "!tfa!";

/** Algorithm name that `node:crypto` wants for a key: Ed25519 brings its own hash. */
function hashFor(key: KeyObject): string | null {
  return key.asymmetricKeyType === "ed25519" ? null : "sha256";
}

/** Percent-encodes control characters, `:` and every byte from 0x7f on; `%` itself stays. */
function encode(text: string): string {
  let encoded = "";
  for (const byte of new TextEncoder().encode(text)) {
    encoded += byte < 0x20 || byte >= 0x7f || byte === 0x3a
      ? `%${byte.toString(16).toUpperCase().padStart(2, "0")}`
      : String.fromCharCode(byte);
  }
  return encoded;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** `%08X` of a Unix time. */
export function hexTime(seconds: number): string {
  return Math.floor(seconds).toString(16).toUpperCase().padStart(8, "0");
}

function makeTicket(key: KeyObject, data: string, aad: string | undefined, now: number): string {
  const text = `${PREFIX}:${encode(data)}:${hexTime(now)}`;
  const signed = aad === undefined ? text : `${text}:${encode(aad)}`;
  const signature = sign(hashFor(key), new TextEncoder().encode(signed), key);
  return `${text}::${signature.toString("base64").replaceAll("=", "")}`;
}

/** A full ticket of `userid`, issued at `now` (Unix seconds). */
export function fullTicket(key: KeyObject, userid: string, now: number): string {
  return makeTicket(key, userid, undefined, now);
}

/** A partial ticket of `userid` that carries the challenge as JSON text. */
export function partialTicket(key: KeyObject, userid: string, challenge: string, now: number): string {
  return makeTicket(key, PARTIAL_MARK + challenge, userid, now);
}

/** The ticket without its signature, as the web UI wants it. */
export function ticketInfo(ticket: string): string {
  return `${ticket.slice(0, ticket.lastIndexOf("::"))}::ticketinfo`;
}

interface Verified {
  readonly data: string;
  readonly time: number;
}

function verifyTicket(
  key: KeyObject,
  ticket: string,
  aad: string | undefined,
  age: { readonly min: number; readonly max: number },
  now: number,
): Verified | undefined {
  const fields = ticket.length <= 16384 ? ticket.split(":") : [];
  if (fields.length !== 5 || fields[3] !== "" || fields[0] !== PREFIX) return undefined;
  if (!/^[0-9A-F]{8,12}$/.test(fields[2]) || !/^[A-Za-z0-9+/]{40,1400}$/.test(fields[4])) return undefined;
  const text = fields.slice(0, 3).join(":");
  const signed = new TextEncoder().encode(aad === undefined ? text : `${text}:${encode(aad)}`);
  if (!verify(hashFor(key), signed, key, new Uint8Array(Buffer.from(fields[4], "base64")))) return undefined;
  const time = parseInt(fields[2], 16);
  if (now - time < age.min || now - time > age.max) return undefined;
  const data = decode(fields[1]);
  return data === undefined ? undefined : { data, time };
}

/** The user id of a valid full ticket, else undefined. */
export function userOfTicket(key: KeyObject, ticket: string, now: number): string | undefined {
  const verified = verifyTicket(key, ticket, undefined, FULL_TICKET_AGE, now);
  return verified && !verified.data.startsWith(PARTIAL_MARK) ? verified.data : undefined;
}

/** The challenge of a valid partial ticket of `userid`, else undefined. */
export function challengeOfTicket(key: KeyObject, ticket: string, userid: string, now: number): string | undefined {
  const verified = verifyTicket(key, ticket, userid, PARTIAL_TICKET_AGE, now);
  return verified?.data.startsWith(PARTIAL_MARK) ? verified.data.slice(PARTIAL_MARK.length) : undefined;
}
