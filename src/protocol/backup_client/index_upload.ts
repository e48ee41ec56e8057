/** The writer of one index: uploads side by side, appends in order behind them (`spec/backup-protocol.md` §7, §12.4). */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { Sha256 } from "../../native/crypto.ts";
import { type IndexChecksum, newChecksum } from "./index_checksum.ts";
import type { IndexSummary, IndexWriter } from "./index_writer.ts";

/** What a writer needs of its session. */
export interface IndexUploadHost {
  /** Waits for room, then sends the chunk. The inner promise settles with the server's answer. */
  sendChunk(
    path: string,
    parameters: ChunkParameters,
    encoded: Uint8Array,
  ): Promise<{ readonly answered: Promise<void> }>;
  /** The upload of a chunk that some writer of the session has under way, if any. */
  underWay(digest: string): Promise<void> | undefined;
  /** `PUT` with a JSON body. */
  append(path: string, body: string): Promise<void>;
  /** `POST` with parameters in the query. */
  post(path: string, parameters: Readonly<Record<string, string | number>>): Promise<unknown>;
}

/** Query of a chunk upload. */
export interface ChunkParameters {
  readonly wid: number;
  readonly digest: string;
  readonly size: number;
  readonly "encoded-size": number;
}

/** Entries of one append (§16: at most 128). */
const BATCH = 128;
/** Appends that may wait for their uploads before the caller has to. */
const MAX_WAITING_BATCHES = 4;

interface Batch {
  readonly digests: string[];
  readonly offsets: number[];
  /** Uploads that must be answered first. */
  readonly uploads: Promise<void>[];
}

/** Uploads one index. */
export class IndexUpload implements IndexWriter {
  readonly wid: number;
  offset = 0;
  readonly #kind: "fixed" | "dynamic";
  readonly #host: IndexUploadHost;
  readonly #checksum: IndexChecksum;
  #batch: Batch = newBatch();
  #waitingBatches = 0;
  #tail: Promise<void> = Promise.resolve();
  #failure?: { readonly error: unknown };
  #chunkCount = 0;
  #uploadedChunks = 0;
  #uploadedSize = 0;
  #uploadedEncodedSize = 0;
  #closed = false;

  constructor(kind: "fixed" | "dynamic", wid: number, host: IndexUploadHost) {
    this.#kind = kind;
    this.wid = wid;
    this.#host = host;
    this.#checksum = newChecksum(kind, new Sha256());
  }

  async upload(chunk: { digest: Uint8Array; size: number; encoded: Uint8Array; sent?: () => void }): Promise<void> {
    const { size, encoded } = chunk;
    this.#check();
    const digest = toHex(chunk.digest);
    const parameters = { wid: this.wid, digest, size, "encoded-size": encoded.length };
    let answered: Promise<void>;
    try {
      ({ answered } = await this.#host.sendChunk(`${this.#kind}_chunk`, parameters, encoded));
    } catch (error) {
      chunk.sent?.();
      throw error;
    }
    answered.catch((error) => this.#failure ??= { error }).finally(() => chunk.sent?.());
    this.#uploadedChunks++;
    this.#uploadedSize += size;
    this.#uploadedEncodedSize += encoded.length;
    await this.#add(chunk.digest, digest, size, answered);
  }

  async reuse(chunk: { digest: Uint8Array; size: number }): Promise<void> {
    this.#check();
    const digest = toHex(chunk.digest);
    await this.#add(chunk.digest, digest, chunk.size, this.#host.underWay(digest));
  }

  async close(): Promise<IndexSummary> {
    this.#check();
    this.#closed = true;
    this.#flush();
    await this.#tail;
    if (this.#failure) throw this.#failure.error;
    const csum = this.#checksum.digest();
    const summary = {
      size: this.offset,
      chunkCount: this.#chunkCount,
      csum,
      uploadedChunks: this.#uploadedChunks,
      uploadedSize: this.#uploadedSize,
      uploadedEncodedSize: this.#uploadedEncodedSize,
      reusedChunks: this.#chunkCount - this.#uploadedChunks,
      reusedSize: this.offset - this.#uploadedSize,
    };
    await this.#host.post(`${this.#kind}_close`, {
      wid: this.wid,
      "chunk-count": summary.chunkCount,
      size: summary.size,
      csum: toHex(csum),
    });
    return summary;
  }

  #check(): void {
    if (this.#failure) throw this.#failure.error;
    if (this.#closed) throw new DozoError("the index is closed");
  }

  async #add(digest: Uint8Array, hex: string, size: number, upload?: Promise<void>): Promise<void> {
    this.#batch.digests.push(hex);
    this.#batch.offsets.push(this.offset);
    if (upload) this.#batch.uploads.push(upload);
    this.offset += size;
    this.#chunkCount++;
    this.#checksum.add(digest, this.offset);
    if (this.#batch.digests.length >= BATCH) {
      this.#flush();
      if (this.#waitingBatches > MAX_WAITING_BATCHES) await this.#tail;
    }
  }

  #flush(): void {
    const batch = this.#batch;
    if (batch.digests.length === 0) return;
    this.#batch = newBatch();
    this.#waitingBatches++;
    this.#tail = this.#tail.then(() => this.#append(batch));
  }

  /** Never rejects: a failure is kept for the next call. */
  async #append({ digests, offsets, uploads }: Batch): Promise<void> {
    try {
      await Promise.all(uploads);
      if (this.#failure) return;
      const body = JSON.stringify({ wid: this.wid, "digest-list": digests, "offset-list": offsets });
      await this.#host.append(`${this.#kind}_index`, body);
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      this.#waitingBatches--;
    }
  }
}

function newBatch(): Batch {
  return { digests: [], offsets: [], uploads: [] };
}
