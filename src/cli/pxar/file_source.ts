/** Reads an archive stream from a file or from standard input. */
import { DozoError, errorMessage } from "../../base/errors.ts";
import type { SequentialSource } from "../../formats/pxar/mod.ts";

const BLOCK_SIZE = 512 * 1024;

/** A file's bytes in order; gaps are jumped over where the file allows it. */
export class FileSource implements SequentialSource {
  readonly #path: string;
  readonly #file: Pick<Deno.FsFile, "read">;
  readonly #seekable?: Deno.FsFile;
  /** Bytes still to be dropped, where seeking is not possible. */
  #toDrop = 0;

  private constructor(path: string, file: Pick<Deno.FsFile, "read">, seekable?: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
    this.#seekable = seekable;
  }

  /** Opens `path`, `-` being standard input. Throws {@link DozoError}. */
  static open(path: string): FileSource {
    if (path === "-") return new FileSource(path, Deno.stdin);
    try {
      const file = Deno.openSync(path);
      return new FileSource(path, file, file.statSync().isFile ? file : undefined);
    } catch (error) {
      throw new DozoError(`unable to open archive '${path}': ${errorMessage(error)}`, { cause: error });
    }
  }

  async pull(): Promise<Uint8Array | null> {
    while (true) {
      const block = new Uint8Array(BLOCK_SIZE);
      const count = await this.#read(block);
      if (count === null) return null;
      const dropped = Math.min(count, this.#toDrop);
      this.#toDrop -= dropped;
      if (dropped < count) return block.subarray(dropped, count);
    }
  }

  skip(count: number): void {
    if (this.#seekable) this.#seekable.seekSync(count, Deno.SeekMode.Current);
    else this.#toDrop += count;
  }

  async #read(block: Uint8Array): Promise<number | null> {
    try {
      return await this.#file.read(block);
    } catch (error) {
      throw new DozoError(`unable to read archive '${this.#path}': ${errorMessage(error)}`, { cause: error });
    }
  }
}
