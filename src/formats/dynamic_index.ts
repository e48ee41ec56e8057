/** Dynamic index `.didx`: an archive of chunks of any size (`spec/index-formats.md` §2). */
import { readU64, viewOf } from "../base/bytes.ts";
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

/** First 8 bytes of SHA-256("Proxmox Backup dynamic sized chunk index v1.0"). */
export const DYNAMIC_INDEX_MAGIC = Uint8Array.of(28, 145, 78, 165, 25, 186, 179, 205);
/** Bytes of an entry: end offset and digest. */
export const DYNAMIC_ENTRY_SIZE = 8 + DIGEST_SIZE;

/** Reader of a dynamic index. Walks the entries once when opened, afterwards reads only what is asked for. */
export class DynamicIndex implements ChunkIndex {
  readonly kind = "dynamic";
  readonly count: number;
  readonly size: number;
  readonly uuid: Uint8Array;
  readonly ctime: number;
  readonly headerCsum: Uint8Array;
  readonly #source: IndexSource;

  /**
   * Opens an index. Throws {@link FormatError} for anything that `spec/index-formats.md` §7 rejects, for end offsets
   * that do not increase and for a chunk of more than 16 MiB.
   */
  constructor(source: Uint8Array | IndexSource) {
    this.#source = indexSource(source);
    const header = readIndexHeader(this.#source, "dynamic", DYNAMIC_INDEX_MAGIC, DYNAMIC_ENTRY_SIZE);
    ({ uuid: this.uuid, ctime: this.ctime, csum: this.headerCsum } = headerFields(header));
    this.count = (this.#source.size - INDEX_HEADER_SIZE) / DYNAMIC_ENTRY_SIZE;
    this.size = checkedSize(this.#source);
  }

  /** End offset (exclusive) of chunk `index`. Throws RangeError outside 0 … count−1. */
  endAt(index: number): number {
    checkChunkNumber(index, this.count);
    return readU64(viewOf(this.#source.read(INDEX_HEADER_SIZE + index * DYNAMIC_ENTRY_SIZE, 8)), 0);
  }

  digestAt(index: number): Uint8Array {
    checkChunkNumber(index, this.count);
    return this.#source.read(INDEX_HEADER_SIZE + index * DYNAMIC_ENTRY_SIZE + 8, DIGEST_SIZE);
  }

  chunkAt(index: number): ChunkRange {
    const end = this.endAt(index);
    return { start: index === 0 ? 0 : this.endAt(index - 1), end, digest: this.digestAt(index) };
  }

  find(offset: number): number {
    if (!(offset >= 0 && offset < this.size)) {
      throw new RangeError(`offset ${offset} is outside the archive of ${this.size} bytes`);
    }
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (offset < this.endAt(middle)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  csum(): Promise<Uint8Array<ArrayBuffer>> {
    return hashEntries(entryPieces(this.#source, DYNAMIC_ENTRY_SIZE));
  }

  *chunks(): Generator<ChunkRange, void, void> {
    let start = 0;
    for (const piece of entryPieces(this.#source, DYNAMIC_ENTRY_SIZE)) {
      const view = viewOf(piece);
      for (let at = 0; at < piece.length; at += DYNAMIC_ENTRY_SIZE) {
        const end = readU64(view, at);
        yield { start, end, digest: piece.subarray(at + 8, at + DYNAMIC_ENTRY_SIZE) };
        start = end;
      }
    }
  }
}

/** Logical size, after a walk over all end offsets. */
function checkedSize(source: IndexSource): number {
  let end = 0;
  let position = INDEX_HEADER_SIZE;
  for (const piece of entryPieces(source, DYNAMIC_ENTRY_SIZE)) {
    const view = viewOf(piece);
    for (let at = 0; at < piece.length; at += DYNAMIC_ENTRY_SIZE, position += DYNAMIC_ENTRY_SIZE) {
      const next = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
      if (next <= end) throw new FormatError("dynamic index: end offsets do not increase", { offset: position });
      if (next - end > MAX_CHUNK_SIZE) {
        throw new FormatError(`dynamic index: chunk of ${next - end} bytes`, { offset: position });
      }
      end = next;
    }
  }
  return end;
}

/** The first 4096 bytes of a dynamic index file. */
export function dynamicIndexHeader(
  fields: { uuid: Uint8Array; ctime: number; csum: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(INDEX_HEADER_SIZE);
  header.set(DYNAMIC_INDEX_MAGIC);
  header.set(fields.uuid, 8);
  viewOf(header).setBigInt64(24, BigInt(fields.ctime), true);
  header.set(fields.csum, 32);
  return header;
}
