/** Catalog reader with random access and bounded memory (`spec/catalog.md` §4). */
import { bytesEqual, readU64, viewOf } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import {
  CATALOG_MAGIC,
  CATALOG_TYPES,
  type CatalogEntry,
  type CatalogType,
  MAX_CATALOG_NAME,
} from "./catalog_entry.ts";
import { readSvarint, readVarint } from "./varint.ts";

/** Bytes that can be read at any place. `read` gives exactly `length` bytes or throws. */
export interface CatalogSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array | Promise<Uint8Array>;
}

/** Bytes read at a time. */
const WINDOW = 64 << 10;
/** No entry is longer: type, name length, name, size, mtime. */
const MAX_ENTRY = 1 + 10 + MAX_CATALOG_NAME + 10 + 11;
/** Deepest path that a walk follows: Linux allows no longer path than 4096 bytes. */
const MAX_DEPTH = 2050;

const TYPE_OF_BYTE: readonly (CatalogType | undefined)[] = Array.from(
  { length: 256 },
  (_, byte) => CATALOG_TYPES.find((type) => type.charCodeAt(0) === byte),
);

/** Reads forward in a stretch of the source; the caller makes sure that enough is at hand before it parses. */
class Cursor {
  #window: Uint8Array = new Uint8Array(0);
  #start: number;
  #at = 0;

  constructor(readonly source: CatalogSource, start: number, public end: number) {
    this.#start = start;
  }

  get offset(): number {
    return this.#start + this.#at;
  }

  /** Has `length` bytes (or all up to the end) at hand. */
  async need(length: number): Promise<void> {
    const offset = this.offset;
    const wanted = Math.min(length, this.end - offset);
    if (this.#window.length - this.#at >= wanted) return;
    const size = Math.min(Math.max(WINDOW, wanted), this.end - offset);
    const window = await this.source.read(offset, size);
    if (window.length !== size) {
      throw new FormatError(`catalog is cut short: ${window.length} of ${size} bytes`, { offset });
    }
    this.#window = window;
    this.#start = offset;
    this.#at = 0;
  }

  byte(): number {
    if (this.offset >= this.end || this.#at >= this.#window.length) {
      throw new FormatError("catalog directory ends within an entry", { offset: this.offset });
    }
    return this.#window[this.#at++];
  }

  take(length: number): Uint8Array<ArrayBuffer> {
    if (length > this.end - this.offset || length > this.#window.length - this.#at) {
      throw new FormatError("catalog directory ends within a name", { offset: this.offset });
    }
    const bytes = this.#window.slice(this.#at, this.#at + length);
    this.#at += length;
    return bytes;
  }
}

/** Reads directories of a catalog. Memory in use does not depend on the size of catalog or directory. */
export class CatalogReader {
  /** Offset of the root's block, for {@link entries}. */
  readonly root: number;
  readonly #source: CatalogSource;

  private constructor(source: CatalogSource, root: number) {
    this.#source = source;
    this.root = root;
  }

  /** Checks magic and root. Throws {@link FormatError}. */
  static async open(source: CatalogSource | Uint8Array): Promise<CatalogReader> {
    const reader = source instanceof Uint8Array ? memorySource(source) : source;
    if (reader.size < CATALOG_MAGIC.length + 2 + 8) {
      throw new FormatError(`catalog of ${reader.size} bytes is too short`);
    }
    const magic = await reader.read(0, CATALOG_MAGIC.length);
    if (!bytesEqual(magic, CATALOG_MAGIC)) throw new FormatError("not a catalog: wrong magic number", { offset: 0 });
    const end = reader.size - 8;
    const root = readU64(viewOf(await reader.read(end, 8)), 0);
    if (root < CATALOG_MAGIC.length || root >= end) {
      throw new FormatError(`catalog root at ${root} lies outside of the catalog`, { offset: end });
    }
    return new CatalogReader(reader, root);
  }

  /** The entries of the directory whose block is at `block`, in stored order. Throws {@link FormatError} where the block is damaged. */
  async *entries(block: number = this.root): AsyncGenerator<CatalogEntry, void, void> {
    const limit = this.#source.size - 8;
    if (!(block >= CATALOG_MAGIC.length && block < limit)) {
      throw new FormatError("catalog directory lies outside of the catalog", { offset: block });
    }
    const cursor = new Cursor(this.#source, block, limit);
    await cursor.need(20);
    const length = readVarint(cursor);
    if (length < 1 || length > limit - cursor.offset) {
      throw new FormatError(`catalog directory claims ${length} bytes`, { offset: block });
    }
    cursor.end = cursor.offset + length;
    const count = readVarint(cursor);
    for (let i = 0; i < count; i++) {
      await cursor.need(MAX_ENTRY);
      yield readEntry(cursor, block);
    }
    if (cursor.offset !== cursor.end) {
      throw new FormatError(`${cursor.end - cursor.offset} surplus bytes in a catalog directory`, {
        offset: cursor.offset,
      });
    }
  }

  /** The entry at `path` (components from the root, the first is the archive's name), undefined when there is none. */
  async lookup(path: readonly Uint8Array[]): Promise<CatalogEntry | undefined> {
    let block: number | undefined = this.root;
    let found: CatalogEntry | undefined;
    for (const name of path) {
      if (block === undefined) return undefined;
      found = undefined;
      for await (const entry of this.entries(block)) {
        if (bytesEqual(entry.name, name)) {
          found = entry;
          break;
        }
      }
      block = found?.block;
      if (!found) return undefined;
    }
    return found;
  }

  /**
   * All entries below the directory at `block`, each directory before its content, with the components of its path from there.
   * The array of components is reused: copy it to keep it.
   */
  async *walk(
    block: number = this.root,
  ): AsyncGenerator<{ path: readonly Uint8Array[]; entry: CatalogEntry }, void, void> {
    const path: Uint8Array[] = [];
    // Writers emit blocks in the order of the walk. Insisting on that (`low`: where the next block may begin) visits each block
    // once: directories that share a block could otherwise make a small catalog an endless one.
    const open = [{ entries: this.entries(block), low: CATALOG_MAGIC.length }];
    while (open.length > 0) {
      const directory = open[open.length - 1];
      const next = await directory.entries.next();
      path.length = open.length - 1;
      if (next.done) {
        open.pop();
        continue;
      }
      const entry = next.value;
      path.push(entry.name);
      yield { path, entry };
      if (entry.block === undefined) continue;
      if (entry.block < directory.low) {
        throw new FormatError("catalog directories are out of order", { offset: entry.block });
      }
      if (open.length >= MAX_DEPTH) {
        throw new FormatError("catalog directories are nested too deeply", { offset: entry.block });
      }
      open.push({ entries: this.entries(entry.block), low: directory.low });
      directory.low = entry.block + 1;
    }
  }
}

function readEntry(cursor: Cursor, block: number): CatalogEntry {
  const offset = cursor.offset;
  const byte = cursor.byte();
  const type = TYPE_OF_BYTE[byte];
  if (type === undefined) throw new FormatError(`unknown catalog entry type ${byte}`, { offset });
  const nameLength = readVarint(cursor);
  if (nameLength >= MAX_CATALOG_NAME) throw new FormatError(`catalog name of ${nameLength} bytes`, { offset });
  const name = cursor.take(nameLength);
  if (type === "f") return { type, name, size: readVarint(cursor), mtime: readSvarint(cursor) };
  if (type !== "d") return { type, name };
  const distance = readVarint(cursor);
  // Blocks of subdirectories come first: a distance that strictly decreases the offset allows no cycle.
  if (distance < 1 || distance > block - CATALOG_MAGIC.length) {
    throw new FormatError(`catalog directory at distance ${distance}`, { offset });
  }
  return { type, name, block: block - distance };
}

function memorySource(bytes: Uint8Array): CatalogSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
}
