/** State and tools of one backup run that its archives share. */
import { Semaphore } from "../../base/concurrency.ts";
import { toHex } from "../../base/bytes.ts";
import { encodeBlob } from "../../formats/blob.ts";
import type { CryptKey } from "../../formats/crypt_key.ts";
import type { CryptMode, Manifest } from "../../formats/manifest.ts";
import { sha256 } from "../../native/crypto.ts";
import type { BackupSession } from "../../protocol/backup_client/backup_session.ts";
import type { IndexWriter } from "../../protocol/backup_client/index_writer.ts";
import type { SessionTarget } from "../../protocol/server_address.ts";
import type { ReusedChunk } from "../../archive/reuse_types.ts";
import type { Server } from "../server.ts";
import { BufferPool } from "../upload/buffer_pool.ts";
import type { Cutter } from "../upload/chunk_cutter.ts";
import { ChunkUpload, type UploadCounters } from "../upload/chunk_upload.ts";
import type { RateLimit } from "../upload/rate_limit.ts";
import type { Log, PreviousSnapshot } from "./previous.ts";
import { archiveReport } from "./report.ts";
import type { WalkOptions } from "./walk_options.ts";

/** What a run is made of. */
export interface BackupRunOptions {
  readonly server: Server;
  readonly session: BackupSession;
  readonly target: SessionTarget;
  readonly manifest: Manifest;
  readonly previous?: PreviousSnapshot;
  readonly cryptMode: CryptMode;
  /** Key for signing, and with mode `encrypt` for the data. */
  readonly key?: CryptKey;
  /** Average chunk size of directory archives in bytes. */
  readonly chunkSize: number;
  /** Compare with the metadata of the previous snapshot. */
  readonly detectChanges: boolean;
  readonly walk: WalkOptions;
  readonly rate?: RateLimit;
  readonly counters: UploadCounters;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/** Chunks of all archives that are hashed, compressed or encrypted at a time: the cores, and one that waits for data. */
const PARALLEL_CHUNKS = Math.min(4, navigator.hardwareConcurrency + 1);

/** An index that is being uploaded. */
export interface ArchiveUpload {
  readonly sink: ChunkUpload;
  /** Runs `work`; if it fails, the upload's own chunks are waited for, so that nothing uses freed memory. */
  guard<T>(work: () => Promise<T>): Promise<T>;
  /** Sends the rest, closes the index and lists it in the manifest; the lines that report it. */
  finish(): Promise<string[]>;
}

/** One backup run. */
export class BackupRun {
  readonly #options: BackupRunOptions;
  readonly #pool = new BufferPool(6);
  readonly #work = new Semaphore(PARALLEL_CHUNKS);

  constructor(options: BackupRunOptions) {
    this.#options = options;
  }

  get server(): Server {
    return this.#options.server;
  }
  get target(): SessionTarget {
    return this.#options.target;
  }
  get previous(): PreviousSnapshot | undefined {
    return this.#options.previous;
  }
  get cryptMode(): CryptMode {
    return this.#options.cryptMode;
  }
  get key(): CryptKey | undefined {
    return this.#options.key;
  }
  get chunkSize(): number {
    return this.#options.chunkSize;
  }
  get detectChanges(): boolean {
    return this.#options.detectChanges;
  }
  get walk(): WalkOptions {
    return this.#options.walk;
  }
  get log(): Log {
    return this.#options.log;
  }
  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** Starts a dynamic index; `bufferSize` is the first guess for a chunk's buffer in bytes. */
  async startDynamic(
    storedName: string,
    cutter: Cutter<readonly ReusedChunk[]>,
    bufferSize: number,
  ): Promise<ArchiveUpload> {
    const writer = await this.#options.session.createDynamicIndex(storedName);
    return this.#start(storedName, writer, cutter, bufferSize);
  }

  /** Starts a fixed index over `size` bytes. */
  async startFixed(
    storedName: string,
    cutter: Cutter<readonly ReusedChunk[]>,
    bufferSize: number,
    size: number,
  ): Promise<ArchiveUpload> {
    const writer = await this.#options.session.createFixedIndex(storedName, size);
    return this.#start(storedName, writer, cutter, bufferSize);
  }

  /** Uploads `content` as a blob under its stored name and lists it. */
  async uploadBlob(storedName: string, content: Uint8Array, options: { encrypt: boolean; compress: boolean }) {
    const { session, manifest, cryptMode, key, rate } = this.#options;
    const encoded = await encodeBlob(content, { key: options.encrypt ? key : undefined, compress: options.compress });
    await rate?.take(encoded.length);
    await session.uploadBlob(storedName, encoded);
    const csum = toHex(await sha256(encoded));
    manifest.addFile({ filename: storedName, "crypt-mode": cryptMode, size: encoded.length, csum });
  }

  #start(
    storedName: string,
    writer: IndexWriter,
    cutter: Cutter<readonly ReusedChunk[]>,
    bufferSize: number,
  ): ArchiveUpload {
    const { session, key, cryptMode, rate, counters, manifest } = this.#options;
    const started = performance.now();
    const sink = new ChunkUpload({
      writer,
      cutter,
      known: session.knownChunks,
      key: cryptMode === "encrypt" ? key : undefined,
      pool: this.#pool,
      work: this.#work,
      rate,
      counters,
      bufferSize,
    });
    const guard = async <T>(work: () => Promise<T>): Promise<T> => {
      try {
        return await work();
      } catch (error) {
        await sink.abort();
        throw error;
      }
    };
    const finish = async () => {
      const summary = await guard(() => sink.close());
      const { size, csum } = summary;
      manifest.addFile({ filename: storedName, "crypt-mode": cryptMode, size, csum: toHex(csum) });
      const seconds = (performance.now() - started) / 1000;
      return archiveReport(storedName, summary, seconds, sink.injected);
    };
    return { sink, guard, finish };
  }
}
