/** The answer to an upgrade request, out of raw bytes: as much of HTTP/1.1 (RFC 9112) as that takes. */
import { concatBytes } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";

/** An answer with what follows it. */
export interface PlainResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty for a 101. */
  readonly body: Uint8Array;
  /** For a 101 the first bytes of the new protocol. */
  readonly rest: Uint8Array;
}

const MAX_HEAD = 64 * 1024;
/** Error texts are short; a longer body is cut. */
const MAX_BODY = 64 * 1024;

/**
 * The answer in `received`, or undefined when more bytes are needed. `ended`: no more will come, so that an incomplete
 * answer is an error and a body without length is complete. Throws {@link FormatError}.
 */
export function parseResponse(received: Uint8Array, ended: boolean): PlainResponse | undefined {
  const end = endOfHead(received);
  if (end < 0) {
    if (received.length > MAX_HEAD) throw new FormatError("the server's answer has no end of its header");
    if (ended) throw new FormatError("the server closed the connection instead of answering");
    return undefined;
  }
  const [statusLine, ...lines] = new TextDecoder("latin1").decode(received.subarray(0, end)).split("\r\n");
  const status = /^HTTP\/1\.[01] ([1-5][0-9][0-9])( |$)/.exec(statusLine)?.[1];
  if (!status) throw new FormatError("the server does not answer in HTTP/1.1");
  const headers = parseHeaders(lines);
  const rest = received.subarray(end + 4);
  if (status === "101") return { status: 101, headers, body: new Uint8Array(0), rest };
  const body = parseBody(headers, rest, ended);
  return body && { status: Number(status), headers, body, rest: new Uint8Array(0) };
}

function endOfHead(bytes: Uint8Array): number {
  for (let i = 0; i + 3 < bytes.length && i <= MAX_HEAD; i++) {
    if (bytes[i] === 13 && bytes[i + 1] === 10 && bytes[i + 2] === 13 && bytes[i + 3] === 10) return i;
  }
  return -1;
}

function parseHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new FormatError("the server's answer has a malformed header line");
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return headers;
}

function parseBody(headers: ReadonlyMap<string, string>, rest: Uint8Array, ended: boolean): Uint8Array | undefined {
  if (headers.get("transfer-encoding")?.toLowerCase() === "chunked") {
    const body = parseChunked(rest);
    return body ?? (ended || rest.length > MAX_BODY ? new Uint8Array(0) : undefined);
  }
  const declared = Number(headers.get("content-length") ?? NaN);
  const length = Math.min(Number.isSafeInteger(declared) && declared >= 0 ? declared : Infinity, MAX_BODY);
  if (rest.length >= length || ended) return rest.slice(0, Math.min(length, MAX_BODY));
  return undefined;
}

/** Body of a chunked answer, undefined when it is not complete yet. */
function parseChunked(bytes: Uint8Array): Uint8Array | undefined {
  const parts: Uint8Array[] = [];
  let at = 0;
  while (true) {
    const lineEnd = bytes.indexOf(10, at);
    if (lineEnd < 0) return undefined;
    const size = /^([0-9a-fA-F]{1,6})\s*(;|$)/.exec(new TextDecoder("latin1").decode(bytes.subarray(at, lineEnd)))?.[1];
    if (size === undefined) throw new FormatError("the server's answer is chunked wrongly");
    const length = parseInt(size, 16);
    if (length === 0) return concatBytes(...parts);
    at = lineEnd + 1;
    if (bytes.length < at + length + 2) return undefined;
    parts.push(bytes.subarray(at, at + length));
    at += length + 2;
  }
}
