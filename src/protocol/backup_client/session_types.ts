/** What a backup session offers its client. */
import type { IndexWriter } from "./index_writer.ts";

/** What a session needs beyond the snapshot. */
export interface BackupSessionOptions {
  /** A benchmark session (`host/benchmark` only): nothing is kept. */
  readonly benchmark?: boolean;
  /** A server over an object store keeps the chunks out of its cache. */
  readonly noCache?: boolean;
  /** Chunk uploads in flight at a time (default 8). */
  readonly uploads?: number;
  /** Bytes of chunk uploads in flight (default 32 MiB). */
  readonly uploadBytes?: number;
  readonly signal?: AbortSignal;
}

/**
 * One open backup session. Every call rejects with a `DozoError` that carries the server's status and text; after a
 * rejection the backup cannot be saved: call `abort()`.
 */
export interface BackupSession {
  /** Digests (hex) the server already knows in this session, with plain size: uploaded, or registered from a previous index. */
  readonly knownChunks: KnownChunks;
  /** Time of the snapshot used as base in seconds, or null. */
  previousBackupTime(): Promise<number | null>;
  /** Raw bytes of a file of the previous snapshot. For an index the server registers its chunks; fill `knownChunks` from it. */
  previous(archiveName: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Stores an encoded blob under a name ending in `.blob`. */
  uploadBlob(fileName: string, encoded: Uint8Array): Promise<void>;
  /** Starts a dynamic index; the name ends in `.didx`. */
  createDynamicIndex(archiveName: string): Promise<IndexWriter>;
  /** Starts a fixed index with chunks of 4 MiB; the name ends in `.fidx`; `size` in bytes, absent when not yet known. */
  createFixedIndex(archiveName: string, size?: number): Promise<IndexWriter>;
  /** Sends `body` to be thrown away. */
  speedtest(body: Uint8Array): Promise<void>;
  /** Makes the snapshot valid, then closes the connection. Upload the manifest first. */
  finish(): Promise<void>;
  /** Drops the connection; the server removes the unfinished snapshot. Never throws. */
  abort(error?: Error): void;
  /** Resolves when the connection has ended, with the error if it broke. */
  readonly closed: Promise<{ readonly error?: Error }>;
}

/** Set of digests with their plain size in bytes. */
export interface KnownChunks {
  /** Plain size of the chunk with this digest (32 bytes), or undefined when unknown. */
  get(digest: Uint8Array): number | undefined;
  add(digest: Uint8Array, size: number): void;
  readonly count: number;
}
