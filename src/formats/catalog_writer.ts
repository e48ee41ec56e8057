/** Catalog writer: emits each directory when it is left, never rewrites (`spec/catalog.md` §3). */
import { concatBytes, viewOf, writeU64 } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { CATALOG_MAGIC, type CatalogType, MAX_CATALOG_NAME } from "./catalog_entry.ts";
import { pushSvarint, pushVarint } from "./varint.ts";

/** Entries of a directory that is still open. Grows by doubling: a directory may have millions of entries. */
class OpenDirectory {
  count = 0;
  length = 0;
  readonly #subdirectories: { at: number; block: number }[] = [];
  #bytes = new Uint8Array(256);

  constructor(readonly name: Uint8Array) {}

  append(type: CatalogType, name: Uint8Array, extra: readonly number[]): void {
    const head: number[] = [type.charCodeAt(0)];
    pushVarint(head, name.length);
    const needed = this.length + head.length + name.length + extra.length;
    if (needed > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(head, this.length);
    this.#bytes.set(name, this.length + head.length);
    this.#bytes.set(extra, needed - extra.length);
    this.length = needed;
    this.count++;
  }

  appendDirectory(name: Uint8Array, block: number): void {
    this.append("d", name, []);
    this.#subdirectories.push({ at: this.length, block });
  }

  /** The directory's block when it is written at `offset`, in order: length and number of entries, entries. */
  block(offset: number): Uint8Array<ArrayBuffer>[] {
    const entries = this.#entriesAt(offset);
    const count: number[] = [];
    pushVarint(count, this.count);
    const head: number[] = [];
    pushVarint(head, count.length + entries.length);
    return [Uint8Array.from([...head, ...count]), entries];
  }

  /** The entries with the distances of the subdirectories, which count from this block and so are known only now. */
  #entriesAt(offset: number): Uint8Array<ArrayBuffer> {
    const parts: Uint8Array[] = [];
    let from = 0;
    for (const { at, block } of this.#subdirectories) {
      const distance: number[] = [];
      pushVarint(distance, offset - block);
      parts.push(this.#bytes.subarray(from, at), Uint8Array.from(distance));
      from = at;
    }
    const rest = this.#bytes.subarray(from, this.length);
    return parts.length === 0 ? rest : concatBytes(...parts, rest);
  }
}

/** Writes a catalog in the order in which the archives are walked. Memory: the entries of the directories that are open. */
export class CatalogWriter {
  readonly #sink: (bytes: Uint8Array<ArrayBuffer>) => void;
  readonly #open: OpenDirectory[] = [new OpenDirectory(new Uint8Array(0))];
  #offset = 0;

  /** `sink` takes the bytes of the stream in order; it is called synchronously and owns what it gets. */
  constructor(sink: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#sink = sink;
    this.#emit(CATALOG_MAGIC.slice());
  }

  /** Bytes given to the sink so far. */
  get size(): number {
    return this.#offset;
  }

  /** Enters a directory; on the top level this is an archive (`root.pxar.didx`). Throws {@link FormatError} for a bad name. */
  startDirectory(name: Uint8Array | string): void {
    this.#current();
    // The caller may use the name's bytes again before the directory is left.
    this.#open.push(new OpenDirectory(checkedName(name).slice()));
  }

  /** Leaves the current directory. */
  endDirectory(): void {
    if (this.#open.length < 2) throw new FormatError("no catalog directory is open");
    const directory = this.#open.pop() as OpenDirectory;
    const offset = this.#offset;
    this.#emit(...directory.block(offset));
    this.#current().appendDirectory(directory.name, offset);
  }

  /** A regular file: size in bytes, mtime in Unix seconds (a fraction is rounded down). */
  addFile(name: Uint8Array | string, size: number, mtime: number): void {
    const extra: number[] = [];
    pushVarint(extra, size);
    pushSvarint(extra, Math.floor(mtime));
    this.#current().append("f", checkedName(name), extra);
  }

  /** Any entry but directory and file. */
  addEntry(type: Exclude<CatalogType, "d" | "f">, name: Uint8Array | string): void {
    this.#current().append(type, checkedName(name), []);
  }

  /** Writes the root. Throws {@link FormatError} when a directory is still open. */
  finish(): void {
    const root = this.#current();
    if (this.#open.length > 1) throw new FormatError(`${this.#open.length - 1} catalog directories are still open`);
    const offset = this.#offset;
    this.#emit(...root.block(offset));
    const end = new Uint8Array(8);
    writeU64(viewOf(end), 0, offset);
    this.#emit(end);
    this.#open.pop();
  }

  #current(): OpenDirectory {
    const current = this.#open.at(-1);
    if (!current) throw new FormatError("the catalog is finished");
    return current;
  }

  #emit(...parts: Uint8Array<ArrayBuffer>[]): void {
    for (const bytes of parts) {
      if (bytes.length === 0) continue;
      this.#offset += bytes.length;
      this.#sink(bytes);
    }
  }
}

const encoder = new TextEncoder();

function checkedName(name: Uint8Array | string): Uint8Array {
  const bytes = typeof name === "string" ? encoder.encode(name) : name;
  if (bytes.length === 0 || bytes.length >= MAX_CATALOG_NAME) {
    throw new FormatError(`catalog name of ${bytes.length} bytes: 1 to ${MAX_CATALOG_NAME - 1} are allowed`);
  }
  return bytes;
}
