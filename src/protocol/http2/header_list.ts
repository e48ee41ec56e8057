/** Checks header lists of requests and responses: RFC 9113 §8. */
import { ErrorCode, Http2Error } from "./errors.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import type { ReceivedHeaders } from "./types.ts";

/** A request's header list. */
export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly headers: ReceivedHeaders;
  readonly contentLength?: number;
}

/** A response's header list. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: ReceivedHeaders;
  readonly contentLength?: number;
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** Printable octets, blanks and tabs inside only. */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;
const CONNECTION_SPECIFIC = new Set(["connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade"]);
const REQUEST_PSEUDO = new Set([":method", ":scheme", ":authority", ":path"]);
const RESPONSE_PSEUDO = new Set([":status"]);

/** Request head of a received list. Throws an {@link Http2Error} for the stream when it is malformed. */
export function parseRequestHead(fields: readonly Field[], streamId: number): RequestHead {
  const { pseudo, headers } = sortFields(fields, REQUEST_PSEUDO, streamId);
  const method = pseudo.get(":method");
  const path = pseudo.get(":path");
  if (!method || !path || !pseudo.get(":scheme")) {
    throw malformed("a request needs :method, :scheme and :path", streamId);
  }
  return { method, path, headers, contentLength: contentLength(headers, streamId) };
}

/** Response head of a received list. Throws an {@link Http2Error} for the stream when it is malformed. */
export function parseResponseHead(fields: readonly Field[], streamId: number): ResponseHead {
  const { pseudo, headers } = sortFields(fields, RESPONSE_PSEUDO, streamId);
  const status = pseudo.get(":status") ?? "";
  if (!/^[1-5][0-9][0-9]$/.test(status)) throw malformed(`:status is '${status.slice(0, 20)}'`, streamId);
  return { status: Number(status), headers, contentLength: contentLength(headers, streamId) };
}

/** Trailers are not used, but must be well-formed (§8.1). */
export function checkTrailers(fields: readonly Field[], streamId: number): void {
  sortFields(fields, new Set(), streamId);
}

function sortFields(fields: readonly Field[], allowed: ReadonlySet<string>, streamId: number) {
  const pseudo = new Map<string, string>();
  const headers = new Map<string, string>();
  for (const [name, value] of fields) {
    if (BAD_VALUE.test(value)) throw malformed(`value of ${name.slice(0, 40)}`, streamId);
    if (name.startsWith(":")) {
      if (!allowed.has(name) || pseudo.has(name) || headers.size > 0) {
        throw malformed(`pseudo header ${name.slice(0, 40)}`, streamId);
      }
      pseudo.set(name, value);
      continue;
    }
    if (!NAME.test(name)) throw malformed("header name", streamId);
    if (CONNECTION_SPECIFIC.has(name) || (name === "te" && value !== "trailers")) {
      throw malformed(`connection-specific header ${name}`, streamId);
    }
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : before + (name === "cookie" ? "; " : ", ") + value);
  }
  return { pseudo, headers };
}

function contentLength(headers: ReceivedHeaders, streamId: number): number | undefined {
  const text = headers.get("content-length");
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,15}$/.test(text)) throw malformed("content-length", streamId);
  return Number(text);
}

function malformed(what: string, streamId: number): Http2Error {
  return new Http2Error(ErrorCode.PROTOCOL_ERROR, `malformed message: ${what}`, { streamId });
}
