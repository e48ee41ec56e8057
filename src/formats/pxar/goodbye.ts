/** GOODBYE items: the lookup table at the end of a directory (`spec/pxar.md` §5). */
import { FormatError } from "../../base/errors.ts";
import { viewOf } from "../../base/bytes.ts";
import { HEADER_SIZE, ItemType, TYPE_HI, TYPE_LO, writeHeader } from "./items.ts";

/** Bytes of one record: hash, offset, size. */
export const RECORD_SIZE = 24;

/**
 * Order in which `n` records sorted by hash are stored: element i of the result is the sorted index at array position i.
 * The array is a complete binary search tree (root 0, children of i at 2i+1 and 2i+2).
 */
export function treeOrder(n: number): Uint32Array {
  const order = new Uint32Array(n);
  const place = (count: number, first: number, levels: number, at: number): void => {
    const full = 2 ** levels;
    const enough = full + Math.floor(full / 2) - 1;
    const left = count > enough ? full - 1 : full - 1 - (enough - count);
    order[at] = first + left;
    if (left > 0) place(left, first, levels - 1, 2 * at + 1);
    if (left + 1 < count) place(count - left - 1, first + left + 1, levels - 1, 2 * at + 2);
  };
  if (n > 0) place(n, 0, Math.floor(Math.log2(n)), 0);
  return order;
}

/** Collects the children of one directory while they are written and encodes the GOODBYE item. Reusable after `clear`. */
export class GoodbyeTable {
  #count = 0;
  #hashes = new Uint32Array(32);
  #places = new Float64Array(32);

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#count = 0;
    if (this.#hashes.length > 65536) {
      this.#hashes = new Uint32Array(32);
      this.#places = new Float64Array(32);
    }
  }

  /** Adds a child: halves of its name hash, stream offset of its FILENAME item, value of the size field. */
  add(hashLow: number, hashHigh: number, offset: number, size: number): void {
    const at = 2 * this.#count++;
    if (at === this.#hashes.length) {
      const hashes = new Uint32Array(2 * at);
      hashes.set(this.#hashes);
      this.#hashes = hashes;
      const places = new Float64Array(2 * at);
      places.set(this.#places);
      this.#places = places;
    }
    this.#hashes[at] = hashLow;
    this.#hashes[at + 1] = hashHigh;
    this.#places[at] = offset;
    this.#places[at + 1] = size;
  }

  /** Full size in bytes of the item. */
  get itemSize(): number {
    return HEADER_SIZE + RECORD_SIZE * (this.#count + 1);
  }

  /** The item, for a table at stream offset `at` whose directory's own ENTRY item is at `entry` (0 for the root). */
  encode(at: number, entry: number): Uint8Array<ArrayBuffer> {
    const n = this.#count, hashes = this.#hashes, places = this.#places;
    const item = new Uint8Array(this.itemSize);
    const view = viewOf(item);
    writeHeader(view, 0, ItemType.Goodbye, item.length);
    const sorted = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) =>
      hashes[2 * a + 1] - hashes[2 * b + 1] || hashes[2 * a] - hashes[2 * b] || a - b
    );
    const order = treeOrder(n);
    let to = HEADER_SIZE;
    for (let i = 0; i < n; i++, to += RECORD_SIZE) {
      const child = 2 * sorted[order[i]];
      writeRecord(view, to, hashes[child], hashes[child + 1], at - places[child], places[child + 1]);
    }
    writeRecord(
      view,
      to,
      TYPE_LO[ItemType.GoodbyeTail],
      TYPE_HI[ItemType.GoodbyeTail],
      at - entry,
      item.length,
    );
    return item;
  }
}

function writeRecord(view: DataView, at: number, low: number, high: number, offset: number, size: number): void {
  view.setUint32(at, low, true);
  view.setUint32(at + 4, high, true);
  view.setUint32(at + 8, offset >>> 0, true);
  view.setUint32(at + 12, Math.floor(offset / 0x1_0000_0000), true);
  view.setUint32(at + 16, size >>> 0, true);
  view.setUint32(at + 20, Math.floor(size / 0x1_0000_0000), true);
}

/** A record as read: distance back from the GOODBYE item, and the child's length in bytes. */
export interface GoodbyeRecord {
  readonly offset: number;
  readonly size: number;
}

const wide = (view: DataView, at: number): number =>
  view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);

/** Reads the tail record (24 bytes at `at`); `offset` is its place in the stream, for the error. */
export function readTail(view: DataView, at: number, offset: number): GoodbyeRecord {
  if (
    view.getUint32(at, true) !== TYPE_LO[ItemType.GoodbyeTail] ||
    view.getUint32(at + 4, true) !== TYPE_HI[ItemType.GoodbyeTail]
  ) {
    throw new FormatError("pxar: directory table has no tail record", { offset });
  }
  return { offset: wide(view, at + 8), size: wide(view, at + 16) };
}

/** Record `index` of the `records` part of a table (without header). */
export function readRecord(records: DataView, index: number): GoodbyeRecord {
  const at = index * RECORD_SIZE;
  return { offset: wide(records, at + 8), size: wide(records, at + 16) };
}

/** Indices of all records with the given hash, by descending the search tree (both subtrees below an equal node). */
export function findRecords(records: DataView, low: number, high: number): number[] {
  const count = Math.floor(records.byteLength / RECORD_SIZE);
  const found: number[] = [];
  const pending = [0];
  while (pending.length > 0) {
    const i = pending.pop() as number;
    if (i >= count) continue;
    const order = high - records.getUint32(i * RECORD_SIZE + 4, true) || low - records.getUint32(i * RECORD_SIZE, true);
    if (order === 0) found.push(i);
    if (order <= 0) pending.push(2 * i + 1);
    if (order >= 0) pending.push(2 * i + 2);
  }
  return found;
}
