/** Client side of a reader session: `spec/reader-protocol.md` §1–3. */
import { concatBytes, toHex } from "../../base/bytes.ts";
import { Semaphore } from "../../base/concurrency.ts";
import { BufferPool } from "../http2/buffer_pool.ts";
import { connectHttp2 } from "../http2/client.ts";
import type { ClientConnection, ConnectionEnd } from "../http2/types.ts";
import type { ServerAddress, SessionTarget } from "../server_address.ts";
import { callBytes, callPath, refuseError } from "../session_call.ts";
import { openUpgrade, sessionQuery } from "../upgrade.ts";
import { readAhead } from "./read_ahead.ts";

const PROTOCOL = "proxmox-backup-reader-protocol-v1";
const MIB = 1024 * 1024;
/** Encoded chunk: 16 MiB and the longest header (`spec/backup-protocol.md` §7.2). */
const MAX_CHUNK = 16 * MIB + 44;
/** An index of 13 million chunks. */
const MAX_DOWNLOAD = 512 * MIB;
const MAX_ERROR_TEXT = 4096;
/** Chunk requests on the wire at a time; native clients use as many. */
const PARALLEL_CHUNKS = 16;
const DEFAULT_AHEAD = 8;
/** Memory of decoded chunks that is kept for the next ones, bytes. */
const POOL_SIZE = 32 * MIB;

/** One open reader session. Calls reject with a `DozoError` that carries the server's status and text. */
export interface ReaderSession {
  /** Raw file of the snapshot. For an index the server allows its chunks to be read from now on. `limit` in bytes (default 512 MiB). */
  download(fileName: string, limit?: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The same, piece by piece. */
  downloadStream(fileName: string): Promise<AsyncIterable<Uint8Array>>;
  /** Encoded chunk (blob container) with this digest (32 bytes). Calls may overlap; 16 at most are on the wire. */
  chunk(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Encoded chunks in the order of `digests`, fetched ahead: at most `ahead` (default 8) chunks are fetched or wait for
   * the consumer. `map` (decoding, say) starts as soon as a chunk is here, so that several run at once.
   */
  chunks<T>(
    digests: Iterable<Uint8Array>,
    map: (encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array) => Promise<T>,
    options?: { ahead?: number; signal?: AbortSignal },
  ): AsyncIterable<T>;
  /**
   * Gives back the memory of an encoded chunk for the next one, which is cheaper than new memory. The chunk and every view
   * of it must not be used any more. Optional.
   */
  recycle(encoded: Uint8Array<ArrayBuffer>): void;
  /** Fetches 1 MiB to be thrown away; number of bytes. */
  speedtest(): Promise<number>;
  /** Ends the session. Never throws. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, with the error if it broke. */
  readonly closed: Promise<{ readonly error?: Error }>;
}

/**
 * Connects, upgrades and starts the session. Rejects with {@link DozoError}: the server's status and text when it
 * refuses (`spec/reader-protocol.md` §1.2).
 */
export async function openReaderSession(
  server: ServerAddress,
  target: SessionTarget,
  options: { signal?: AbortSignal } = {},
): Promise<ReaderSession> {
  const path = `/api2/json/reader?${sessionQuery(target)}`;
  const { socket, head } = await openUpgrade(server, path, PROTOCOL, options.signal);
  return new Session(connectHttp2(socket, head), options.signal);
}

class Session implements ReaderSession {
  readonly closed: Promise<ConnectionEnd>;
  readonly #http: ClientConnection;
  readonly #gate = new Semaphore(PARALLEL_CHUNKS);
  readonly #pool = new BufferPool(POOL_SIZE);

  constructor(http: ClientConnection, signal?: AbortSignal) {
    this.#http = http;
    this.closed = http.closed;
    const onAbort = () => http.abort(signal?.reason instanceof Error ? signal.reason : undefined);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    void http.closed.then(() => signal?.removeEventListener("abort", onAbort));
  }

  async download(fileName: string, limit: number = MAX_DOWNLOAD): Promise<Uint8Array<ArrayBuffer>> {
    return await callBytes(this.#http, callPath("download", { "file-name": fileName }), limit);
  }

  async downloadStream(fileName: string): Promise<AsyncIterable<Uint8Array>> {
    const path = callPath("download", { "file-name": fileName });
    const { status, body, cancel } = await this.#http.requestStream({ method: "GET", path });
    if (status >= 200 && status < 300) return body;
    const text = await beginning(body);
    cancel();
    refuseError(path, { status, body: text });
    return body;
  }

  async chunk(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const path = callPath("chunk", { digest: toHex(digest) });
    return await this.#gate.run(() => callBytes(this.#http, path, MAX_CHUNK, { signal, pool: this.#pool }));
  }

  chunks<T>(
    digests: Iterable<Uint8Array>,
    map: (encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array) => Promise<T>,
    options: { ahead?: number; signal?: AbortSignal } = {},
  ): AsyncIterable<T> {
    const fetch = async (digest: Uint8Array, signal: AbortSignal) =>
      await map(await this.chunk(digest, signal), digest);
    return readAhead(digests, fetch, options.ahead ?? DEFAULT_AHEAD, options.signal);
  }

  recycle(encoded: Uint8Array<ArrayBuffer>): void {
    this.#pool.give(encoded);
  }

  async speedtest(): Promise<number> {
    return (await callBytes(this.#http, "/speedtest", MAX_CHUNK)).length;
  }

  async close(): Promise<void> {
    await this.#http.close();
  }
}

/** First bytes of an error text. */
async function beginning(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  let text = new Uint8Array(0);
  for await (const piece of body) {
    text = concatBytes(text, piece);
    if (text.length >= MAX_ERROR_TEXT) break;
  }
  return text;
}
