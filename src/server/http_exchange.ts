/** Between the runtime's HTTP server and the API: requests in, responses out, with limits on time and memory. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ApiRequest, ApiResponse } from "../api/exchange.ts";

/** Longest time for the body of a request, and longest pause of a client that reads an answer. */
const BODY_MS = 120_000;
const STALL_MS = 300_000;

/** Address of the peer of a socket as `[ip]:port`. */
export function peerOf(socket: { remoteAddress?: string; remotePort?: number }): string {
  return `[${socket.remoteAddress ?? "unknown"}]:${socket.remotePort ?? 0}`;
}

/** The bytes of a request body. Throws 400 when it does not arrive in time or breaks off. */
async function* bodyOf(request: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    request.destroy();
  }, BODY_MS);
  try {
    for await (const chunk of request) yield chunk;
    if (!request.complete) throw new DozoError("the connection broke off within the request body");
  } catch (error) {
    throw new DozoError(
      late ? "the request body did not arrive in time" : `reading the request body: ${errorMessage(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

/** A request of the runtime as the API sees it. */
export function apiRequest(request: IncomingMessage, peer: string, signal: AbortSignal): ApiRequest {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name] = Array.isArray(value) ? value.join(", ") : value;
  }
  return {
    verb: request.method ?? "GET",
    target: request.url ?? "/",
    headers,
    peer,
    body: bodyOf(request),
    httpVersion: request.httpVersion,
    signal,
  };
}

/** Resolves when `response` takes more bytes; rejects when the client is gone or does not read for a long time. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => settle(new DozoError("the client stopped reading")), STALL_MS);
    const onDrain = () => settle();
    const onClose = () => settle(new DozoError("the client went away"));
    const settle = (error?: Error) => {
      clearTimeout(timer);
      response.off("drain", onDrain).off("close", onClose);
      if (error) reject(error);
      else resolve();
    };
    response.on("drain", onDrain).on("close", onClose);
    if (response.destroyed || response.writableEnded) onClose();
  });
}

/** Sends a response; resolves with the number of body bytes. A stream that fails midway cuts the connection. */
export async function sendResponse(response: ServerResponse, answer: ApiResponse): Promise<number> {
  response.writeHead(answer.status, headersOf(answer));
  if (typeof answer.body === "string" || answer.body instanceof Uint8Array) {
    const bytes = typeof answer.body === "string" ? new TextEncoder().encode(answer.body) : answer.body;
    response.end(bytes);
    return bytes.length;
  }
  let sent = 0;
  try {
    for await (const part of answer.body) {
      if (response.destroyed) throw new DozoError("the client went away");
      sent += part.length;
      if (!response.write(part)) await drained(response);
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
  return sent;
}

function headersOf(answer: ApiResponse): Record<string, string> {
  const fixed = typeof answer.body === "string" || answer.body instanceof Uint8Array;
  if (!fixed || answer.status === 101) return { ...answer.headers };
  const length = typeof answer.body === "string" ? new TextEncoder().encode(answer.body).length : answer.body.length;
  return { ...answer.headers, "content-length": String(length) };
}

/** Sends a response on the bare socket of an upgrade request that got no session, and closes it. */
export function sendOnSocket(socket: Duplex, answer: ApiResponse): number {
  const body = typeof answer.body === "string"
    ? new TextEncoder().encode(answer.body)
    : answer.body instanceof Uint8Array
    ? answer.body
    : new TextEncoder().encode("this answer cannot be combined with an upgrade");
  const lines = Object.entries({ ...answer.headers, "content-length": String(body.length), connection: "close" })
    .map(([name, value]) => `${name}: ${value}\r\n`).join("");
  socket.write(`HTTP/1.1 ${answer.status} ${REASONS[answer.status] ?? "Error"}\r\n${lines}\r\n`);
  socket.end(body);
  return body.length;
}

const REASONS: Record<number, string> = {
  200: "OK",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  414: "URI Too Long",
  500: "Internal Server Error",
};

/** Headers that turn the connection over to a session. */
export function switchingProtocols(protocol: string): string {
  return `HTTP/1.1 101 Switching Protocols\r\nupgrade: ${protocol}\r\nconnection: upgrade\r\n\r\n`;
}
