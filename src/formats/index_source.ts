/** What fixed and dynamic indexes share: where their bytes come from and how chunks are looked up in them. */
import { viewOf } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { Sha256 } from "../native/crypto.ts";

/** Length of the header of both index kinds (`spec/index-formats.md`). */
export const INDEX_HEADER_SIZE = 4096;
/** Length of a digest. */
export const DIGEST_SIZE = 32;

/** Random access to the bytes of an index file. `read` returns exactly `length` bytes, or throws. */
export interface IndexSource {
  /** Length of the whole file in bytes. */
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** One chunk of an archive: it covers the bytes `start` … `end`−1. */
export interface ChunkRange {
  readonly start: number;
  readonly end: number;
  readonly digest: Uint8Array;
}

/** Reading side of both kinds of index. Digests are views on the index bytes where these are in memory: do not change them. */
export interface ChunkIndex {
  readonly kind: "fixed" | "dynamic";
  /** Number of chunks, at least 1. */
  readonly count: number;
  /** Logical size of the archive in bytes. */
  readonly size: number;
  /** 16 random bytes; informative. */
  readonly uuid: Uint8Array;
  /** Creation time in epoch seconds; informative. */
  readonly ctime: number;
  /** Checksum as the header claims it; informative, see {@link csum}. */
  readonly headerCsum: Uint8Array;
  /** Range and digest of chunk `index`. Throws RangeError outside 0 … count−1. */
  chunkAt(index: number): ChunkRange;
  /** Digest of chunk `index`. Throws RangeError outside 0 … count−1. */
  digestAt(index: number): Uint8Array;
  /** Index of the chunk that holds the byte at `offset`. Throws RangeError outside 0 … size−1. */
  find(offset: number): number;
  /** Checksum recomputed from the entries, as manifests hold it (`spec/index-formats.md` §3). */
  csum(): Promise<Uint8Array<ArrayBuffer>>;
  /** All chunks in order, without holding them at once. */
  chunks(): Generator<ChunkRange, void, void>;
}

/** What a finished index writer hands over. */
export interface FinishedIndex {
  /** The file in pieces, in order. */
  readonly parts: readonly Uint8Array<ArrayBuffer>[];
  /** Length of the file in bytes. */
  readonly fileSize: number;
  /** Checksum for the manifest. */
  readonly csum: Uint8Array<ArrayBuffer>;
  /** Logical size of the archive in bytes. */
  readonly size: number;
  /** Number of chunks. */
  readonly count: number;
}

/** A byte array as {@link IndexSource}; other sources are returned as they are. */
export function indexSource(source: Uint8Array | IndexSource): IndexSource {
  if (!(source instanceof Uint8Array)) return source;
  return { size: source.length, read: (offset, length) => source.subarray(offset, offset + length) };
}

const PIECE_ENTRIES = 1 << 14;
const BUSY_LIMIT = 4 * 1024 * 1024;

/** Reads the entries of `entrySize` bytes in pieces of less than a mebibyte. */
export function* entryPieces(source: IndexSource, entrySize: number): Generator<Uint8Array, void, void> {
  for (let at = INDEX_HEADER_SIZE; at < source.size; at += PIECE_ENTRIES * entrySize) {
    yield source.read(at, Math.min(PIECE_ENTRIES * entrySize, source.size - at));
  }
}

/** SHA-256 over everything behind the header, letting other work run after some mebibytes. */
export async function hashEntries(pieces: Iterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const hash = new Sha256();
  let busy = 0;
  for (const piece of pieces) {
    hash.update(piece);
    busy += piece.length;
    if (busy < BUSY_LIMIT) continue;
    busy = 0;
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return hash.digest();
}

/** Header of an index after the checks both kinds share: length of the file and magic. Throws {@link FormatError}. */
export function readIndexHeader(source: IndexSource, kind: string, magic: Uint8Array, entrySize: number): Uint8Array {
  if (source.size < INDEX_HEADER_SIZE) {
    throw new FormatError(`${kind} index is shorter than its header`, { offset: source.size });
  }
  const header = source.read(0, INDEX_HEADER_SIZE);
  if (!magic.every((byte, i) => header[i] === byte)) {
    throw new FormatError(`not a ${kind} index: wrong magic`, { offset: 0 });
  }
  if (source.size === INDEX_HEADER_SIZE) {
    throw new FormatError(`${kind} index has no entries`, { offset: INDEX_HEADER_SIZE });
  }
  if ((source.size - INDEX_HEADER_SIZE) % entrySize !== 0) {
    throw new FormatError(`${kind} index ends within an entry`, { offset: source.size });
  }
  return header;
}

/** What both kinds keep at the same places of their header; informative (`spec/index-formats.md` §1 and §2). */
export function headerFields(header: Uint8Array): { uuid: Uint8Array; ctime: number; csum: Uint8Array } {
  return {
    uuid: header.slice(8, 24),
    ctime: Number(viewOf(header).getBigInt64(24, true)),
    csum: header.slice(32, 64),
  };
}

/** Throws RangeError unless `index` names one of `count` chunks. */
export function checkChunkNumber(index: number, count: number): void {
  if (!Number.isInteger(index) || index < 0 || index >= count) {
    throw new RangeError(`chunk ${index} is outside the index of ${count} chunks`);
  }
}
