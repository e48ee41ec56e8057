/** What a request brings to prove who it is (`spec/auth.md` §2). */
import { tryParseAuthId } from "./authid.ts";

/** Name of the cookie that browsers bind to the host. */
export const HOST_COOKIE = "__Host-PBSAuthCookie";
const COOKIES = [HOST_COOKIE, "PBSAuthCookie"] as const;

/** The header value that makes a browser forget its ticket. */
export const EXPIRED_COOKIE =
  `${HOST_COOKIE}=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Secure; SameSite=Lax; HttpOnly; Path=/;`;

/** Credentials found in a request's headers. A cookie wins over a token. */
export type Credentials =
  | { readonly kind: "cookie"; readonly ticket: string }
  | { readonly kind: "token"; readonly tokenid: string; readonly secret: string };

function decodePercent(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The value of the first cookie of that exact name in a `Cookie` header, not decoded. */
export function cookieValue(header: string, name: string): string | undefined {
  for (const part of header.split(";")) {
    const item = part.trim();
    if (item.startsWith(`${name}=`)) return item.slice(name.length + 1);
  }
  return undefined;
}

/** The credentials of a request, or undefined when it brings none in a known form. */
export function credentialsOf(cookie: string | undefined, authorization: string | undefined): Credentials | undefined {
  for (const name of cookie === undefined ? [] : COOKIES) {
    const value = cookieValue(cookie ?? "", name);
    if (value !== undefined) return { kind: "cookie", ticket: decodePercent(value) ?? "" };
  }
  const match = /^PBSAPIToken[= ]([^:]+):(.+)$/s.exec(authorization ?? "");
  if (!match || tryParseAuthId(match[1])?.token === undefined) return undefined;
  const secret = decodePercent(match[2]);
  return secret === undefined ? undefined : { kind: "token", tokenid: match[1], secret };
}
