/**
 * The upload side of one archive: chunks are hashed, compressed and encrypted several at a time, and handed to the
 * server's index in order. Chunks that the server knows are only referenced.
 */
import { Semaphore } from "../../base/concurrency.ts";
import { encodeBlob, encodedSizeBound } from "../../formats/blob.ts";
import { chunkDigest, type CryptKey } from "../../formats/crypt_key.ts";
import { InjectingChunker, type Injection } from "../../formats/injecting_chunker.ts";
import type { ReusedChunk, ReusingSink } from "../../archive/reuse_types.ts";
import type { KnownChunks } from "../../protocol/backup_client/backup_session.ts";
import type { IndexSummary, IndexWriter } from "../../protocol/backup_client/index_writer.ts";
import type { BufferPool } from "./buffer_pool.ts";
import { ChunkCutter, type Cutter } from "./chunk_cutter.ts";
import type { RateLimit } from "./rate_limit.ts";

/** Bytes that passed: read from the source, referenced without reading, and sent. */
export interface UploadCounters {
  processed: number;
  injected: number;
  sent: number;
}

/** What a {@link ChunkUpload} needs. */
export interface ChunkUploadOptions {
  readonly writer: IndexWriter;
  readonly known: KnownChunks;
  /** Where to cut. Suggested and forced boundaries need an {@link InjectingChunker}. */
  readonly cutter: Cutter<readonly ReusedChunk[]>;
  /** Encrypts the chunks and keys their digests. */
  readonly key?: CryptKey;
  readonly pool: BufferPool;
  /** Bounds how many chunks of all archives are hashed and encoded at a time. */
  readonly work: Semaphore;
  readonly rate?: RateLimit;
  readonly counters: UploadCounters;
  /** First guess for a chunk's buffer in bytes. */
  readonly bufferSize: number;
}

interface Prepared {
  readonly digest: Uint8Array;
  readonly size: number;
  /** Absent for a chunk that was known when it had been hashed. */
  readonly encoded?: Uint8Array<ArrayBuffer>;
  readonly encodedBuffer?: Uint8Array<ArrayBuffer>;
}

type Step = { readonly prepared: Promise<Prepared> } | { readonly reused: readonly ReusedChunk[] };

/** Chunks of one archive that may wait between cutting and sending before the reader has to wait. */
const MAX_WAITING = 3;

/** Takes the bytes of one archive stream and uploads its chunks. */
export class ChunkUpload implements ReusingSink {
  readonly #options: ChunkUploadOptions;
  readonly #cutter: ChunkCutter<readonly ReusedChunk[]>;
  readonly #steps: Step[] = [];
  #pending = 0;
  readonly #injected = { chunks: 0, bytes: 0 };
  #running?: Promise<void>;
  #failure?: { readonly error: unknown };
  #roomWaiters: (() => void)[] = [];

  constructor(options: ChunkUploadOptions) {
    this.#options = options;
    this.#cutter = new ChunkCutter(
      options.cutter,
      {
        chunk: (buffer, length) => this.#add({ prepared: this.#prepare(buffer, length) }),
        injected: (injection: Injection<readonly ReusedChunk[]>) => this.#add({ reused: injection.chunks }),
      },
      options.pool,
      options.bufferSize,
    );
  }

  /** What {@link inject} took over. */
  get injected(): { readonly chunks: number; readonly bytes: number } {
    return this.#injected;
  }

  reserve(max: number): Uint8Array<ArrayBuffer> {
    return this.#cutter.reserve(max);
  }

  commit(count: number): void | Promise<void> {
    this.#options.counters.processed += count;
    this.#cutter.commit(count);
    return this.#room();
  }

  write(bytes: Uint8Array): void | Promise<void> {
    this.#options.counters.processed += bytes.length;
    this.#cutter.write(bytes);
    return this.#room();
  }

  suggestBoundary(offset: number): void {
    this.#injector()?.suggest(offset);
  }

  inject(offset: number, chunks: readonly ReusedChunk[]): void | Promise<void> {
    const injector = this.#injector();
    if (!injector) throw new Error("chunks can only be injected into a payload stream");
    const length = chunks.reduce((sum, chunk) => sum + chunk.size, 0);
    injector.inject(offset, length, chunks);
    this.#injected.chunks += chunks.length;
    this.#injected.bytes += length;
    this.#options.counters.injected += length;
    this.#cutter.scan();
    return this.#room();
  }

  /** Ends the stream, waits for all its chunks and closes the index. */
  async close(): Promise<IndexSummary> {
    this.#cutter.finish();
    while (this.#running) await this.#running;
    this.#throwFailure();
    return await this.#options.writer.close();
  }

  /** Stops sending and waits until nothing runs any more. Never throws. */
  async abort(): Promise<void> {
    this.#failure ??= { error: new Error("upload was aborted") };
    this.#cutter.discard();
    while (this.#running) await this.#running;
  }

  #injector(): InjectingChunker<readonly ReusedChunk[]> | undefined {
    const { cutter } = this.#options;
    return cutter instanceof InjectingChunker ? cutter : undefined;
  }

  /** Nothing while there is room for more; else a promise for it. Throws what broke the upload. */
  #room(): void | Promise<void> {
    this.#throwFailure();
    if (this.#pending <= MAX_WAITING) return;
    return new Promise<void>((resolve) => this.#roomWaiters.push(resolve)).then(() => this.#room());
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  #add(step: Step): void {
    if ("prepared" in step) {
      this.#pending++;
      // A failure is reported by #send; until then it must not count as unhandled.
      step.prepared.catch(() => {});
    }
    this.#steps.push(step);
    this.#running ??= this.#sendAll();
  }

  /** Sends until no step waits. The flag falls in the same turn as the last look at the queue, so no step is left lying. */
  async #sendAll(): Promise<void> {
    for (let step = this.#steps.shift(); step; step = this.#steps.shift()) {
      try {
        await this.#send(step);
      } catch (error) {
        this.#failure ??= { error };
      }
      if ("prepared" in step) this.#pending--;
      if (this.#pending <= MAX_WAITING || this.#failure) this.#roomWaiters.splice(0).forEach((wake) => wake());
    }
    this.#running = undefined;
  }

  async #send(step: Step): Promise<void> {
    const { writer, known, pool, rate, counters } = this.#options;
    if ("reused" in step) {
      for (const chunk of step.reused) {
        if (this.#failure) return;
        await writer.reuse(chunk);
      }
      return;
    }
    const { digest, size, encoded, encodedBuffer } = await step.prepared;
    let mine = encodedBuffer;
    const giveBack = () => {
      if (mine) pool.give(mine);
      mine = undefined;
    };
    if (this.#failure) {
      giveBack();
      return;
    }
    if (!encoded || known.get(digest) === size) {
      giveBack();
      return await writer.reuse({ digest, size });
    }
    try {
      await rate?.take(encoded.length);
      counters.sent += encoded.length;
      await writer.upload({ digest, size, encoded, sent: giveBack });
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  async #prepare(buffer: Uint8Array<ArrayBuffer>, length: number): Promise<Prepared> {
    const { key, known, pool, work } = this.#options;
    await work.acquire();
    try {
      const data = buffer.subarray(0, length);
      const digest = await chunkDigest(data, key);
      if (this.#failure || known.get(digest) === length) return { digest, size: length };
      const encodedBuffer = pool.take(encodedSizeBound(length, key !== undefined));
      try {
        const encoded = await encodeBlob(data, { key, into: encodedBuffer });
        return { digest, size: length, encoded, encodedBuffer };
      } catch (error) {
        pool.give(encodedBuffer);
        throw error;
      }
    } finally {
      pool.give(buffer);
      work.release();
    }
  }
}
