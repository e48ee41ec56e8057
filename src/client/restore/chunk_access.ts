/** Random access to an archive's plain bytes: only the chunks that are asked for are fetched, and the latest are kept. */
import { DozoError } from "../../base/errors.ts";
import type { RandomSource } from "../../formats/pxar/sink.ts";
import type { IndexedArchive, SnapshotSource } from "./snapshot_source.ts";

/** Plain bytes that are kept. */
const CACHE_BYTES = 64 * 1024 * 1024;

/** {@link RandomSource} over the chunks of one archive. Reads may overlap; a chunk is fetched once at a time. */
export class ChunkAccess implements RandomSource {
  readonly #source: SnapshotSource;
  readonly #archive: IndexedArchive;
  /** Insertion order is age: the first is dropped first. */
  readonly #kept = new Map<number, Promise<Uint8Array>>();
  #keptBytes = 0;
  #fetched = 0;

  constructor(source: SnapshotSource, archive: IndexedArchive) {
    this.#source = source;
    this.#archive = archive;
  }

  get size(): number {
    return this.#archive.index.size;
  }

  /** Number of chunks that were fetched so far. */
  get fetchedChunks(): number {
    return this.#fetched;
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const { index } = this.#archive;
    if (offset < 0 || offset + length > index.size) {
      throw new DozoError(`read of ${length} bytes at ${offset} is outside of '${this.#archive.file.filename}'`);
    }
    if (length === 0) return new Uint8Array(0);
    const first = index.find(offset);
    const last = index.find(offset + length - 1);
    if (first === last) {
      const start = index.chunkAt(first).start;
      return (await this.#chunk(first)).subarray(offset - start, offset - start + length);
    }
    const whole = new Uint8Array(length);
    for (let i = first; i <= last; i++) {
      const { start, end } = index.chunkAt(i);
      const chunk = await this.#chunk(i);
      const from = Math.max(offset, start);
      const to = Math.min(offset + length, end);
      whole.set(chunk.subarray(from - start, to - start), from - offset);
    }
    return whole;
  }

  #chunk(number: number): Promise<Uint8Array> {
    const kept = this.#kept.get(number);
    if (kept) {
      this.#kept.delete(number);
      this.#kept.set(number, kept);
      return kept;
    }
    const { start, end } = this.#archive.index.chunkAt(number);
    const fetched = this.#fetch(number, end - start);
    this.#kept.set(number, fetched);
    this.#keptBytes += end - start;
    fetched.catch(() => this.#drop(number));
    for (const oldest of this.#kept.keys()) {
      if (this.#keptBytes <= CACHE_BYTES || oldest === number) break;
      this.#drop(oldest);
    }
    return fetched;
  }

  async #fetch(number: number, size: number): Promise<Uint8Array> {
    const { file, index } = this.#archive;
    const digest = index.digestAt(number);
    this.#fetched++;
    const data = await this.#source.decode(file, await this.#source.session.chunk(digest), digest);
    if (data.length !== size) throw new DozoError(`chunk ${number} of '${file.filename}' has the wrong length`);
    return data;
  }

  #drop(number: number): void {
    if (!this.#kept.delete(number)) return;
    const { start, end } = this.#archive.index.chunkAt(number);
    this.#keptBytes -= end - start;
  }
}
