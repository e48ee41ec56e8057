/** A file of the directory back end, open for reading. */
import { DozoError } from "../../base/errors.ts";
import type { StoredFile } from "../types.ts";
import { failure, isMissing } from "./failure.ts";

const DEFAULT_LIMIT = 1024 * 1024 * 1024;

/** Opens `path` without following a symlink; undefined when missing. Throws for anything but a regular file. */
export async function openStoredFile(path: string): Promise<StoredFile | undefined> {
  let file: Deno.FsFile;
  try {
    if (!(await Deno.lstat(path)).isFile) throw new DozoError(`unable to open '${path}' - not a regular file`);
    file = await Deno.open(path, { read: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`unable to open '${path}'`, error);
  }
  try {
    return new LocalFile(path, file, (await file.stat()).size);
  } catch (error) {
    file.close();
    throw failure(`unable to open '${path}'`, error);
  }
}

class LocalFile implements StoredFile {
  readonly size: number;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  #turn: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(path: string, file: Deno.FsFile, size: number) {
    this.#path = path;
    this.#file = file;
    this.size = size;
  }

  read(offset: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    // The descriptor has one position: reads take turns.
    const result = this.#turn.then(() => this.#readAt(offset, buffer));
    this.#turn = result.catch(() => {});
    return result;
  }

  async #readAt(offset: number, buffer: Uint8Array<ArrayBuffer>): Promise<number> {
    try {
      await this.#file.seek(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < buffer.length) {
        const count = await this.#file.read(buffer.subarray(filled));
        if (count === null) break;
        filled += count;
      }
      return filled;
    } catch (error) {
      throw failure(`reading file "${this.#path}" failed`, error);
    }
  }

  async readAll(limit = DEFAULT_LIMIT): Promise<Uint8Array<ArrayBuffer>> {
    if (this.size > limit) throw new DozoError(`file "${this.#path}" has ${this.size} bytes, more than ${limit}`);
    const bytes = new Uint8Array(this.size);
    const count = await this.read(0, bytes);
    return count === bytes.length ? bytes : bytes.subarray(0, count);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#file.close();
  }
}

/** Whole content of a regular file; undefined when missing. Throws above `limit` bytes. Follows no symlink. */
export async function readWhole(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const stat = await Deno.lstat(path);
    if (!stat.isFile) throw new DozoError(`reading file "${path}" failed - not a regular file`);
    if (stat.size > limit) throw new DozoError(`file "${path}" has ${stat.size} bytes, more than ${limit}`);
    return await Deno.readFile(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`reading file "${path}" failed`, error);
  }
}
