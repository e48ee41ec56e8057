/** Client side of a reader session: `spec/reader-protocol.md` §1–3. */
import type { ServerAddress, SessionTarget } from "../server_address.ts";

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
  /** Fetches 1 MiB to be thrown away; number of bytes. */
  speedtest(): Promise<number>;
  /** Ends the session. Never throws. */
  close(): Promise<void>;
  /** Resolves when the connection has ended, with the error if it broke. */
  readonly closed: Promise<{ readonly error?: Error }>;
}

/** Connects, upgrades and starts the session. Rejects with the server's status and text when it refuses. */
export function openReaderSession(
  server: ServerAddress,
  target: SessionTarget,
  options: { signal?: AbortSignal } = {},
): Promise<ReaderSession> {
  void [server, target, options];
  return Promise.reject(new Error("not yet available"));
}
