/** Writers of both index kinds. They build the file in memory; storing it is the datastore's business. */
import { viewOf, writeU64 } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { randomBytes } from "../native/crypto.ts";
import { MAX_CHUNK_SIZE } from "./blob.ts";
import { DYNAMIC_ENTRY_SIZE, dynamicIndexHeader } from "./dynamic_index.ts";
import { DEFAULT_FIXED_CHUNK_SIZE, type FixedIndex, fixedIndexHeader, isFixedChunkSize } from "./fixed_index.ts";
import { DIGEST_SIZE, type FinishedIndex, hashEntries, INDEX_HEADER_SIZE } from "./index_source.ts";
import { IndexPages } from "./index_pages.ts";

/** Identity of a new index. */
export interface IndexIdentity {
  /** Creation time in epoch seconds. */
  ctime: number;
  /** 16 bytes; a random version 4 UUID by default. */
  uuid?: Uint8Array;
}

/** 16 bytes of a random version 4 UUID. */
export function randomUuid(): Uint8Array<ArrayBuffer> {
  const uuid = new Uint8Array(randomBytes(16));
  uuid[6] = uuid[6] & 0x0f | 0x40;
  uuid[8] = uuid[8] & 0x3f | 0x80;
  return uuid;
}

/** Writer of a dynamic index: entries are appended in order. */
export class DynamicIndexWriter {
  readonly #pages = new IndexPages(DYNAMIC_ENTRY_SIZE);
  readonly #identity: Required<IndexIdentity>;
  #end = 0;

  constructor(identity: IndexIdentity) {
    this.#identity = { uuid: randomUuid(), ...identity };
  }

  /** Number of entries so far. */
  get count(): number {
    return this.#pages.filled;
  }

  /** Logical size so far: the start offset of the next chunk. */
  get size(): number {
    return this.#end;
  }

  /**
   * Appends the chunk that covers `length` bytes from `start`. Throws {@link DozoError} for a gap or overlap, or a
   * length outside 1 … 16 MiB.
   */
  append(start: number, length: number, digest: Uint8Array): void {
    if (start !== this.#end) {
      throw new DozoError(`chunk at offset ${start} does not continue the index, which ends at ${this.#end}`);
    }
    checkChunk(length, digest);
    this.#end += length;
    const entry = this.#pages.take(this.count);
    writeU64(viewOf(entry), 0, this.#end);
    entry.set(digest, 8);
  }

  /** Completes the index. Throws {@link DozoError} when it has no entries. */
  async finish(): Promise<FinishedIndex> {
    if (this.count === 0) throw new DozoError("a dynamic index without chunks cannot be closed");
    const entries = [...this.#pages.pieces(this.count)];
    const csum = await hashEntries(entries);
    const header = dynamicIndexHeader({ ...this.#identity, csum });
    return finished([header, ...entries], csum, this.#end, this.count);
  }
}

/** Writer of a fixed index: chunks come in any order, the size may be unknown until the end (`spec/index-formats.md` §4). */
export class FixedIndexWriter {
  readonly #pages = new IndexPages(DIGEST_SIZE);
  readonly #identity: Required<IndexIdentity>;
  readonly #chunkSize: number;
  #size: number | undefined;
  #grown = 0;
  #appended = 0;

  /**
   * `size`: logical size in bytes, or undefined when not yet known. Throws {@link DozoError} for a size of 0 or a chunk
   * size that is no power of two.
   */
  constructor(options: IndexIdentity & { size?: number; chunkSize?: number }) {
    const { size, chunkSize = DEFAULT_FIXED_CHUNK_SIZE, ctime, uuid = randomUuid() } = options;
    if (!isFixedChunkSize(chunkSize)) throw new DozoError(`a fixed index cannot have chunks of ${chunkSize} bytes`);
    if (size !== undefined && !(Number.isSafeInteger(size) && size > 0)) {
      throw new DozoError(`a fixed index cannot have a size of ${size} bytes`);
    }
    this.#chunkSize = chunkSize;
    this.#size = size;
    this.#identity = { ctime, uuid };
  }

  /** Calls of {@link set} so far; reused slots do not count. */
  get appended(): number {
    return this.#appended;
  }

  /** Logical size in bytes: as given, as fixed by a short chunk, else as far as chunks have come. */
  get size(): number {
    return this.#size ?? this.#grown;
  }

  /** Number of chunks that the size needs. */
  get count(): number {
    return Math.ceil(this.size / this.#chunkSize);
  }

  /**
   * Copies all digests of `base`, to be overwritten where something changed. Throws {@link DozoError} unless size is
   * known and both have the same chunk size and number of chunks.
   */
  reuse(base: FixedIndex): void {
    if (this.#size === undefined) throw new DozoError("an index of unknown size cannot build upon a previous one");
    if (base.chunkSize !== this.#chunkSize || base.count !== this.count) {
      throw new DozoError(
        `the previous index has ${base.count} chunks, the new one ${this.count}: it cannot be reused`,
      );
    }
    let slot = 0;
    for (const { digest } of base.chunks()) this.#pages.take(slot++).set(digest);
  }

  /**
   * Stores the digest of the chunk of `length` bytes at `start`; again for the same place overwrites it. Throws
   * {@link DozoError} unless the chunk is aligned and full, or ends the archive.
   */
  set(start: number, length: number, digest: Uint8Array): void {
    checkChunk(length, digest);
    const end = start + length;
    if (!Number.isSafeInteger(end) || start < 0 || start % this.#chunkSize !== 0) {
      throw new DozoError(`chunk at offset ${start} is not aligned to ${this.#chunkSize} bytes`);
    }
    if (length > this.#chunkSize || this.#size !== undefined && end > this.#size) {
      throw new DozoError(`chunk of ${length} bytes at offset ${start} exceeds the index`);
    }
    if (length < this.#chunkSize && end !== this.#size) {
      if (this.#size !== undefined || end < this.#grown) {
        throw new DozoError(`chunk of ${length} bytes at offset ${start}: only the last one may be short`);
      }
      this.#size = end;
    }
    this.#grown = Math.max(this.#grown, end);
    this.#appended++;
    this.#pages.take(start / this.#chunkSize).set(digest);
  }

  /** Completes the index. Throws {@link DozoError} when chunks are missing. */
  async finish(): Promise<FinishedIndex> {
    const { size, count } = this;
    if (count === 0 || this.#pages.filled !== count) {
      throw new DozoError(`fixed index of ${size} bytes has ${this.#pages.filled} of ${count} chunks`);
    }
    const entries = [...this.#pages.pieces(count)];
    const csum = await hashEntries(entries);
    const header = fixedIndexHeader({ ...this.#identity, csum, size, chunkSize: this.#chunkSize });
    return finished([header, ...entries], csum, size, count);
  }
}

function checkChunk(length: number, digest: Uint8Array): void {
  if (!Number.isInteger(length) || length < 1 || length > MAX_CHUNK_SIZE) {
    throw new DozoError(`a chunk has 1 to ${MAX_CHUNK_SIZE} bytes, not ${length}`);
  }
  if (digest.length !== DIGEST_SIZE) throw new DozoError(`a digest has ${DIGEST_SIZE} bytes, not ${digest.length}`);
}

function finished(
  parts: Uint8Array<ArrayBuffer>[],
  csum: Uint8Array<ArrayBuffer>,
  size: number,
  count: number,
): FinishedIndex {
  const entrySizes = parts.slice(1).reduce((sum, part) => sum + part.length, 0);
  return { parts, fileSize: INDEX_HEADER_SIZE + entrySizes, csum, size, count };
}
