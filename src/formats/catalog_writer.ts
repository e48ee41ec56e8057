/** Catalog writer: emits each directory when it is left, never rewrites (`spec/catalog.md` §3). */
import { FormatError } from "../base/errors.ts";
import type { CatalogType } from "./catalog_entry.ts";

/** Writes a catalog in the order in which the archives are walked. */
export class CatalogWriter {
  readonly #sink: (bytes: Uint8Array<ArrayBuffer>) => void;

  /** `sink` takes the bytes of the stream in order; it is called synchronously and owns what it gets. */
  constructor(sink: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.#sink = sink;
  }

  /** Enters a directory; on the top level this is an archive (`root.pxar.didx`). */
  startDirectory(_name: Uint8Array | string): void {
    void this.#sink;
    throw new FormatError("being written");
  }

  /** Leaves the current directory. */
  endDirectory(): void {
    throw new FormatError("being written");
  }

  /** A regular file: size in bytes, mtime in whole Unix seconds (rounded down). */
  addFile(_name: Uint8Array | string, _size: number, _mtime: number): void {
    throw new FormatError("being written");
  }

  /** Any entry but directory and file. */
  addEntry(_type: Exclude<CatalogType, "d" | "f">, _name: Uint8Array | string): void {
    throw new FormatError("being written");
  }

  /** Writes the root. Throws {@link FormatError} when a directory is still open. */
  finish(): void {
    throw new FormatError("being written");
  }
}
