/** Fixed index `.fidx`: an archive of chunks of one size (`spec/index-formats.md` §1). */
import { readU64, viewOf, writeU64 } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { MAX_CHUNK_SIZE } from "./blob.ts";
import {
  checkChunkNumber,
  type ChunkIndex,
  type ChunkRange,
  DIGEST_SIZE,
  entryPieces,
  hashEntries,
  headerFields,
  INDEX_HEADER_SIZE,
  type IndexSource,
  indexSource,
  readIndexHeader,
} from "./index_source.ts";

/** First 8 bytes of SHA-256("Proxmox Backup fixed sized chunk index v1.0"). */
export const FIXED_INDEX_MAGIC = Uint8Array.of(47, 127, 65, 237, 145, 253, 15, 205);
/** Chunk size of every fixed index that servers create. */
export const DEFAULT_FIXED_CHUNK_SIZE = 4 * 1024 * 1024;

/** True for a chunk size that an index may have: a power of two up to the largest chunk. */
export function isFixedChunkSize(size: number): boolean {
  return Number.isInteger(size) && size >= 1 && size <= MAX_CHUNK_SIZE && Number.isInteger(Math.log2(size));
}

/** Reader of a fixed index. Reads only what is asked for. */
export class FixedIndex implements ChunkIndex {
  readonly kind = "fixed";
  readonly count: number;
  readonly size: number;
  /** Size in bytes of all chunks but the last one, which may be shorter. */
  readonly chunkSize: number;
  readonly uuid: Uint8Array;
  readonly ctime: number;
  readonly headerCsum: Uint8Array;
  readonly #source: IndexSource;

  /** Opens an index. Throws {@link FormatError} for anything that `spec/index-formats.md` §7 rejects. */
  constructor(source: Uint8Array | IndexSource) {
    this.#source = indexSource(source);
    const header = readIndexHeader(this.#source, "fixed", FIXED_INDEX_MAGIC, DIGEST_SIZE);
    const view = viewOf(header);
    ({ uuid: this.uuid, ctime: this.ctime, csum: this.headerCsum } = headerFields(header));
    this.size = readU64(view, 64);
    this.chunkSize = readU64(view, 72);
    this.count = (this.#source.size - INDEX_HEADER_SIZE) / DIGEST_SIZE;
    if (this.size === 0) throw new FormatError("fixed index of an archive without content", { offset: 64 });
    if (!isFixedChunkSize(this.chunkSize)) {
      throw new FormatError(`fixed index with a chunk size of ${this.chunkSize} bytes`, { offset: 72 });
    }
    if (Math.ceil(this.size / this.chunkSize) !== this.count) {
      throw new FormatError(`fixed index has ${this.count} entries for ${this.size} bytes`, { offset: 64 });
    }
  }

  digestAt(index: number): Uint8Array {
    checkChunkNumber(index, this.count);
    return this.#source.read(INDEX_HEADER_SIZE + index * DIGEST_SIZE, DIGEST_SIZE);
  }

  chunkAt(index: number): ChunkRange {
    return this.#range(index, this.digestAt(index));
  }

  find(offset: number): number {
    if (!(offset >= 0 && offset < this.size)) {
      throw new RangeError(`offset ${offset} is outside the archive of ${this.size} bytes`);
    }
    return Math.floor(offset / this.chunkSize);
  }

  csum(): Promise<Uint8Array<ArrayBuffer>> {
    return hashEntries(entryPieces(this.#source, DIGEST_SIZE));
  }

  *chunks(): Generator<ChunkRange, void, void> {
    let index = 0;
    for (const piece of entryPieces(this.#source, DIGEST_SIZE)) {
      for (let at = 0; at < piece.length; at += DIGEST_SIZE) {
        yield this.#range(index++, piece.subarray(at, at + DIGEST_SIZE));
      }
    }
  }

  #range(index: number, digest: Uint8Array): ChunkRange {
    const start = index * this.chunkSize;
    return { start, end: Math.min(start + this.chunkSize, this.size), digest };
  }
}

/** The first 4096 bytes of a fixed index file. */
export function fixedIndexHeader(
  fields: { uuid: Uint8Array; ctime: number; csum: Uint8Array; size: number; chunkSize: number },
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(INDEX_HEADER_SIZE);
  const view = viewOf(header);
  header.set(FIXED_INDEX_MAGIC);
  header.set(fields.uuid, 8);
  view.setBigInt64(24, BigInt(fields.ctime), true);
  header.set(fields.csum, 32);
  writeU64(view, 64, fields.size);
  writeU64(view, 72, fields.chunkSize);
  return header;
}
