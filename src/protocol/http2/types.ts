/** What the HTTP/2 layer takes and gives: requests, responses, options and the two kinds of connection. */
import type { BufferPool } from "./buffer_pool.ts";
import type { Settings } from "./settings.ts";

/** Received header fields: lower-case names without pseudo headers; repeated fields joined by `, ` (cookies by `; `). */
export type ReceivedHeaders = ReadonlyMap<string, string>;

/** Header fields to send: lower-case names, no pseudo headers. */
export type HeaderInit = Readonly<Record<string, string>>;

/** Body of a received request. Exactly one of the methods may be called, once. */
export interface RequestBody {
  /**
   * The whole body in one buffer of exactly its length. `limit` is the largest accepted length in bytes; a longer body
   * is a `DozoError` (400) as soon as that is known, and the rest is thrown away. `sizeHint` (bytes) saves regrowing when
   * there is no `content-length`: pass `encoded-size`. With `recycle` the bytes are valid only until the handler's promise
   * settles, then the memory serves another request: cheaper for large bodies. Rejects when the peer resets the stream or
   * the connection ends. The bytes count against the connection's receive budget until the handler's promise settles.
   */
  readAll(limit: number, sizeHint?: number, recycle?: boolean): Promise<Uint8Array<ArrayBuffer>>;
  /** Reads to the end, keeps nothing; number of bytes seen. Rejects like `readAll`. */
  discard(): Promise<number>;
}

/** A request as the server's handler sees it. */
export interface Http2Request {
  readonly method: string;
  /** `:path` as sent: path and query, not decoded. */
  readonly path: string;
  readonly headers: ReceivedHeaders;
  readonly body: RequestBody;
  /** Aborts when the peer resets the stream or the connection ends before the response was sent. */
  readonly signal: AbortSignal;
}

/** Bytes of a response: sent as they are, never copied, so they must not change until the response is sent. */
export type ResponseBody = Uint8Array | readonly Uint8Array[] | AsyncIterable<Uint8Array>;

/** The handler's answer. `content-length` is added when the length is known and the header is not given. */
export interface Http2Response {
  readonly status: number;
  readonly headers?: HeaderInit;
  readonly body?: ResponseBody;
}

/**
 * Answers one request. May be called for several streams at once. A `DozoError` it throws becomes a plain-text response
 * with its status and message, any other error a 500. A body it leaves unread is thrown away.
 */
export type Http2Handler = (request: Http2Request) => Promise<Http2Response> | Http2Response;

/** Sizes and limits of one connection; every field has a default for its role. */
export interface Http2Options {
  /** Receive window of each stream, bytes. Server 32 MiB, client 32 MiB. */
  readonly streamWindow?: number;
  /** Receive window of the connection, bytes. Server 32 MiB, client 2³¹−2. */
  readonly connectionWindow?: number;
  /** Largest frame payload accepted, bytes (4 MiB). */
  readonly maxFrameSize?: number;
  /** Streams the peer may have open (server: 200). */
  readonly maxConcurrentStreams?: number;
  /** Largest received header list, bytes as RFC 9113 §6.5.2 counts them (16384). */
  readonly maxHeaderListSize?: number;
  /** Server: bytes of request bodies held for unanswered requests before the peer is slowed down (96 MiB). */
  readonly receiveBudget?: number;
  /** Server: bytes of unfinished requests that end the connection: the peer is slowed down long before (256 MiB). */
  readonly receiveLimit?: number;
  /** Server: bytes of response bodies waiting for the peer to read, above which no further request is started (32 MiB). */
  readonly sendBudget?: number;
  /** Server: requests without a body that are handled at the same time (16); further ones wait. */
  readonly parallelDownloads?: number;
}

/** How a connection ended: without `error` both sides were done in an orderly way. */
export interface ConnectionEnd {
  readonly error?: Error;
}

interface Connection {
  /** Resolves (never rejects) when the socket is closed and no request is running on it any more. */
  readonly closed: Promise<ConnectionEnd>;
  /** The peer's settings as last received; RFC 9113 defaults before. */
  readonly remoteSettings: Settings;
  /** Ends at once: running requests fail with `error`, the socket is destroyed. */
  abort(error?: Error): void;
}

/** The server's end of a connection. */
export interface ServerConnection extends Connection {
  /** Takes no new request (GOAWAY), lets running ones finish, then closes the socket. */
  close(): Promise<void>;
}

/** A request to send. The body's bytes are not copied and must not change until the returned promise settles. */
export interface ClientRequest {
  readonly method: string;
  /** Path and query as they go on the wire. */
  readonly path: string;
  readonly headers?: HeaderInit;
  readonly body?: Uint8Array | readonly Uint8Array[];
  /** Aborting resets the stream and rejects the promise with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Expected length of the response body in bytes, for a server that sends no `content-length`. */
  readonly sizeHint?: number;
  /** Largest accepted response body in bytes (default 16 MiB + 64 KiB); a longer one rejects. Unused by `requestStream`. */
  readonly limit?: number;
  /** Where the memory of the response body comes from; the caller gives it back when it is done. Unused by `requestStream`. */
  readonly pool?: BufferPool;
}

/** A complete response. Any status: a non-2xx one does not reject. */
export interface ClientResponse {
  readonly status: number;
  readonly headers: ReceivedHeaders;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** A response whose body is read piece by piece. Iterate to the end, or `cancel()`; at most one stream window waits in memory. */
export interface ClientResponseStream {
  readonly status: number;
  readonly headers: ReceivedHeaders;
  readonly body: AsyncIterable<Uint8Array>;
  cancel(): void;
}

/** The client's end of a connection. */
export interface ClientConnection extends Connection {
  /**
   * Sends a request and collects the response. Waits for a free stream and for the peer's windows. Rejects with
   * `DozoError` when the stream or the connection ends early; `Http2Error` when the peer reset or broke it.
   */
  request(request: ClientRequest): Promise<ClientResponse>;
  /** Like `request`, resolving as soon as the headers are here. */
  requestStream(request: ClientRequest): Promise<ClientResponseStream>;
  /** Takes no new request, lets running ones finish, then closes the socket. */
  close(): Promise<void>;
}
