/** CSRF prevention tokens: needed beside a cookie for everything but GET (`spec/auth.md` §5). */
import { createHmac, timingSafeEqual } from "node:crypto";
import { FULL_TICKET_AGE, hexTime } from "./ticket.ts";

function signature(key: Uint8Array, time: string, userid: string): string {
  return createHmac("sha3-256", key).update(`${time}:${userid}:`).digest("base64").replaceAll("=", "");
}

/** A token for `userid`, made at `now` (Unix seconds). */
export function csrfToken(key: Uint8Array, userid: string, now: number): string {
  const time = hexTime(now);
  return `${time}:${signature(key, time, userid)}`;
}

/** Whether `token` is a fresh token of `userid`. */
export function isCsrfToken(key: Uint8Array, token: string, userid: string, now: number): boolean {
  const match = /^([0-9A-F]{8,12}):([A-Za-z0-9+/]{20,100})$/.exec(token);
  if (!match) return false;
  const [given, expected] = [match[2], signature(key, match[1], userid)].map((text) => new TextEncoder().encode(text));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
  const age = now - parseInt(match[1], 16);
  return age >= FULL_TICKET_AGE.min && age <= FULL_TICKET_AGE.max;
}
