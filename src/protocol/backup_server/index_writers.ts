/** The index writers of a session: appending by the rules of the protocol, closing with all checks (`spec/backup-protocol.md` §7.6–7.9). */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { DEFAULT_FIXED_CHUNK_SIZE, type FixedIndex } from "../../formats/fixed_index.ts";
import type { FinishedIndex } from "../../formats/index_source.ts";
import { DynamicIndexWriter, FixedIndexWriter, randomUuid } from "../../formats/index_writer.ts";
import type { InsertResult, UploadStats } from "../../datastore/types.ts";

/** What the client claims of an index when it closes it. */
export interface CloseClaim {
  readonly chunkCount: number;
  readonly size: number;
  /** 64 hex digits, lower case. */
  readonly csum: string;
}

/** A chunk that an index refers to: its length comes from the registry, never from the client. */
export interface ChunkUse {
  readonly offset: number;
  readonly length: number;
  readonly digest: Uint8Array;
}

/**
 * Index entries per stretch of an image. Memory is used per stretch, so an upload that puts single chunks far apart
 * could exhaust it: besides {@link FREE_STRETCHES} each stretch must be paid for with {@link PRICE} entries.
 */
const STRETCH = 8192;
const FREE_STRETCHES = 256;
const PRICE = 16;

/** How far a writer is: `closing` takes nothing more, `failed` never closes. */
type WriterState = "open" | "closing" | "failed";

/** Statistics without any upload. */
export function noUploads(): UploadStats {
  return { count: 0, size: 0, compressedSize: 0, duplicates: 0 };
}

/** What fixed and dynamic writers share. */
abstract class SessionIndexWriter {
  abstract readonly kind: "fixed" | "dynamic";
  readonly uuid = randomUuid();
  readonly stats: UploadStats = noUploads();
  #state: WriterState = "open";

  constructor(readonly wid: number, readonly name: string) {}

  /** Logical size so far. */
  abstract get size(): number;
  /** Checks an uploaded chunk of `size` bytes against the rules of the index kind. */
  protected abstract checkUpload(size: number): void;
  protected abstract appendOne(use: ChunkUse): void;
  /** Throws unless count and size are as claimed. */
  protected abstract checkClaim(claim: CloseClaim): void;
  protected abstract build(): Promise<FinishedIndex>;

  /** Counts an uploaded chunk. */
  countUpload(size: number, stored: InsertResult): void {
    this.checkUpload(size);
    this.stats.count++;
    this.stats.size += size;
    this.stats.compressedSize += stored.size;
    if (stored.duplicate) this.stats.duplicates++;
  }

  /** Adds one chunk to the index. */
  append(use: ChunkUse): void {
    if (this.#state !== "open") {
      throw new DozoError(`${this.kind} writer '${this.name}' append failed - already closed`);
    }
    this.appendOne(use);
  }

  /**
   * Checks the client's claim, then lets `store` keep the finished file. With a wrong count or size the close may be
   * repeated. A wrong checksum means that both sides disagree about the content: the writer is lost, and with it the backup.
   */
  async close(claim: CloseClaim, store: (index: FinishedIndex) => Promise<void>): Promise<FinishedIndex> {
    if (this.#state !== "open") throw this.closeError("already closed");
    this.checkClaim(claim);
    this.#state = "closing";
    try {
      const index = await this.build();
      if (toHex(index.csum) !== claim.csum) {
        this.#state = "failed";
        throw this.closeError("got unexpected checksum");
      }
      await store(index);
      return index;
    } catch (error) {
      // A full disk may be better at the next try.
      if (this.#state === "closing") this.#state = "open";
      throw error;
    }
  }

  protected closeError(reason: string): DozoError {
    return new DozoError(`${this.kind} writer '${this.name}' close failed - ${reason}`);
  }
}

/** Writer of a dynamic index: appends are contiguous. */
export class DynamicSessionWriter extends SessionIndexWriter {
  readonly kind = "dynamic";
  readonly #index: DynamicIndexWriter;

  constructor(wid: number, name: string, ctime: number) {
    super(wid, name);
    this.#index = new DynamicIndexWriter({ ctime, uuid: this.uuid });
  }

  override get size(): number {
    return this.#index.size;
  }

  protected override checkUpload(): void {}

  protected override appendOne({ offset, length, digest }: ChunkUse): void {
    if (offset !== this.#index.size) {
      throw new DozoError(
        `dynamic writer '${this.name}' append chunk failed - got strange chunk offset (${this.#index.size} != ${offset})`,
      );
    }
    this.#index.append(offset, length, digest);
  }

  protected override checkClaim({ chunkCount, size }: CloseClaim): void {
    const { count } = this.#index;
    if (count !== chunkCount) throw this.closeError(`unexpected chunk count (${count} != ${chunkCount})`);
    if (this.size !== size) throw this.closeError(`unexpected file size (${this.size} != ${size})`);
  }

  protected override build(): Promise<FinishedIndex> {
    return this.#index.finish();
  }
}

/** Writer of a fixed index: chunks of 4 MiB in any order, the last one may be short. */
export class FixedSessionWriter extends SessionIndexWriter {
  readonly kind = "fixed";
  readonly #index: FixedIndexWriter;
  /** Size given at the start; undefined while it grows. */
  readonly #declared: number | undefined;
  #incremental = false;
  readonly #stretches = new Set<number>();
  #smallUploads = 0;
  #endedShort = false;

  constructor(wid: number, name: string, ctime: number, size: number | undefined) {
    super(wid, name);
    this.#declared = size;
    this.#index = new FixedIndexWriter({ ctime, uuid: this.uuid, size });
  }

  override get size(): number {
    return this.#index.size;
  }

  /** Starts from all digests of `base` (`spec/backup-protocol.md` §7.4). */
  reuse(base: FixedIndex): void {
    if (base.count !== this.#index.count || base.chunkSize !== DEFAULT_FIXED_CHUNK_SIZE) {
      throw new DozoError(`cannot reuse index - index sizes not equal (${this.#index.count} != ${base.count})`);
    }
    this.#index.reuse(base);
    this.#incremental = true;
  }

  protected override checkUpload(size: number): void {
    if (size > DEFAULT_FIXED_CHUNK_SIZE) {
      throw new DozoError(`fixed writer '${this.name}' - got large chunk (${size} > ${DEFAULT_FIXED_CHUNK_SIZE})`);
    }
    if (size < DEFAULT_FIXED_CHUNK_SIZE && ++this.#smallUploads > 1) {
      throw new DozoError(`fixed writer '${this.wid}' - detected multiple end chunks (chunk size too small)`);
    }
  }

  protected override appendOne({ offset, length, digest }: ChunkUse): void {
    const end = offset + length;
    const fixedSize = this.#declared ?? (this.#endedShort ? this.size : undefined);
    if (fixedSize !== undefined && end > fixedSize) {
      throw new DozoError(`refusing to resize from ${fixedSize} to ${end}`);
    }
    const total = Math.max(end, this.size);
    if (length > DEFAULT_FIXED_CHUNK_SIZE || length < DEFAULT_FIXED_CHUNK_SIZE && end !== (fixedSize ?? total)) {
      throw new DozoError(`chunk with unexpected length (${length} != ${DEFAULT_FIXED_CHUNK_SIZE})`);
    }
    if (offset % DEFAULT_FIXED_CHUNK_SIZE !== 0) throw new DozoError(`got unaligned chunk (pos = ${offset})`);
    this.#countStretch(offset);
    this.#index.set(offset, length, digest);
    if (length < DEFAULT_FIXED_CHUNK_SIZE) this.#endedShort = true;
  }

  #countStretch(offset: number): void {
    const stretch = Math.floor(offset / DEFAULT_FIXED_CHUNK_SIZE / STRETCH);
    if (this.#incremental || this.#stretches.has(stretch)) return;
    if (this.#stretches.size >= FREE_STRETCHES + this.#index.appended / PRICE) {
      throw new DozoError(`fixed writer '${this.name}' - chunks are too scattered, append them in order`);
    }
    this.#stretches.add(stretch);
  }

  protected override checkClaim({ chunkCount, size }: CloseClaim): void {
    const { appended, count } = this.#index;
    if (appended !== chunkCount) {
      throw this.closeError(`received wrong number of chunk (${appended} != ${chunkCount})`);
    }
    if (!this.#incremental) {
      if (count !== chunkCount) throw this.closeError(`unexpected chunk count (${count} != ${chunkCount})`);
      if (this.size !== size) throw this.closeError(`unexpected file size (${this.size} != ${size})`);
    }
    if (count === 0) throw new DozoError("fidx file must have at least one chunk");
  }

  protected override build(): Promise<FinishedIndex> {
    return this.#index.finish();
  }
}
