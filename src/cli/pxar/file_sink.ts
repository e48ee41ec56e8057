/** Writes an archive stream to a new file. */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { DozoError, errorMessage } from "../../base/errors.ts";
import type { PayloadSink } from "../../formats/pxar/mod.ts";

const BUFFER_SIZE = 1024 * 1024;

/** Collects small pieces in a buffer; never overwrites a file (mode 0640). */
export class FileSink implements PayloadSink {
  readonly #path: string;
  readonly #fd: number;
  readonly #buffer = new Uint8Array(BUFFER_SIZE);
  #filled = 0;

  /** Creates `path`. Throws {@link DozoError}, also when it exists. */
  constructor(path: string) {
    this.#path = path;
    try {
      this.#fd = openSync(path, "wx", 0o640);
    } catch (error) {
      throw new DozoError(`unable to create archive '${path}': ${errorMessage(error)}`, { cause: error });
    }
  }

  reserve(max: number): Uint8Array<ArrayBuffer> {
    if (this.#filled === BUFFER_SIZE) this.#flush();
    return this.#buffer.subarray(this.#filled, Math.min(BUFFER_SIZE, this.#filled + max));
  }

  commit(count: number): void {
    this.#filled += count;
  }

  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.reserve(bytes.length - at);
      room.set(bytes.subarray(at, at + room.length));
      this.commit(room.length);
      at += room.length;
    }
  }

  suggestBoundary(): void {}

  /** Writes the rest and closes. */
  finish(): void {
    this.#flush();
    closeSync(this.#fd);
  }

  /** Removes what was written. */
  discard(): void {
    closeSync(this.#fd);
    unlinkSync(this.#path);
  }

  #flush(): void {
    try {
      for (let at = 0; at < this.#filled;) at += writeSync(this.#fd, this.#buffer, at, this.#filled - at);
    } catch (error) {
      throw new DozoError(`unable to write archive '${this.#path}': ${errorMessage(error)}`, { cause: error });
    }
    this.#filled = 0;
  }
}
