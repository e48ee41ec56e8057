/** The plain bytes of an archive, chunk by chunk in order, fetched and decoded ahead. */
import { bytesEqual, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import type { SequentialSource } from "../../formats/pxar/sink.ts";
import type { IndexedArchive, SnapshotSource } from "./snapshot_source.ts";

/** Chunks fetched or decoded ahead of the consumer. */
const AHEAD = 6;
/** A jump over more bytes than this drops what was fetched ahead and starts anew behind it. */
const SKIP_LIMIT = 24 * 1024 * 1024;

/**
 * Change detection puts a chunk into the stream again behind each changed file of it: copies at most this many chunks
 * apart are fetched once.
 */
const REPEAT_DISTANCE = 4;

/** Sequential reader over the chunks of one archive; `skip` does not fetch chunks that lie wholly inside the gap. */
export class ChunkStream implements SequentialSource {
  readonly #source: SnapshotSource;
  readonly #archive: IndexedArchive;
  #iterator?: AsyncIterator<Uint8Array>;
  /** Number of the chunk that comes next, and of the one with which fetching began. */
  #next = 0;
  #first = 0;
  /** Chunks that come again soon, by digest. */
  readonly #kept = new Map<string, Uint8Array>();
  /** Stream offset of the next byte for the consumer. */
  #position = 0;

  constructor(source: SnapshotSource, archive: IndexedArchive) {
    this.#source = source;
    this.#archive = archive;
  }

  /** Bytes of the whole stream. */
  get size(): number {
    return this.#archive.index.size;
  }

  /** Stream offset of the next byte. */
  get position(): number {
    return this.#position;
  }

  async pull(): Promise<Uint8Array | null> {
    const { index, file } = this.#archive;
    while (this.#position < index.size) {
      this.#iterator ??= this.#start(index.find(this.#position));
      const value = await this.#chunk(this.#next);
      const { start, end } = index.chunkAt(this.#next++);
      if (value.length !== end - start) {
        throw new DozoError(
          `chunk of '${file.filename}' at ${start} has ${value.length} bytes instead of ${end - start}`,
        );
      }
      if (end <= this.#position) continue;
      const bytes = value.subarray(this.#position - start);
      this.#position = end;
      return bytes;
    }
    return null;
  }

  async skip(count: number): Promise<void> {
    this.#position += count;
    if (count <= SKIP_LIMIT || !this.#iterator) return;
    await this.close();
  }

  /** Stops fetching. The stream can go on afterwards. */
  async close(): Promise<void> {
    const iterator = this.#iterator;
    this.#iterator = undefined;
    this.#kept.clear();
    await iterator?.return?.();
  }

  /** Content of chunk `i`, from the iterator or, when it is a copy, from what was kept. */
  async #chunk(i: number): Promise<Uint8Array> {
    const name = toHex(this.#archive.index.digestAt(i));
    const kept = this.#copyBefore(i) ? this.#kept.get(name) : undefined;
    const result = kept ? { value: kept } : await (this.#iterator as AsyncIterator<Uint8Array>).next();
    if (!result.value) throw new DozoError(`'${this.#archive.file.filename}' ends before its chunk ${i}`);
    if (this.#copyBehind(i)) this.#kept.set(name, result.value);
    else this.#kept.delete(name);
    return result.value;
  }

  #copyBefore(i: number): boolean {
    return this.#sameChunk(i, Math.max(this.#first, i - REPEAT_DISTANCE), i);
  }

  #copyBehind(i: number): boolean {
    return this.#sameChunk(i, i + 1, Math.min(this.#archive.index.count, i + REPEAT_DISTANCE + 1));
  }

  /** True when one of the chunks `from` … `to`−1 is the same as chunk `i`. */
  #sameChunk(i: number, from: number, to: number): boolean {
    const { index } = this.#archive;
    const digest = index.digestAt(i);
    for (let j = from; j < to; j++) if (bytesEqual(index.digestAt(j), digest)) return true;
    return false;
  }

  #start(first: number): AsyncIterator<Uint8Array> {
    this.#next = this.#first = first;
    const { index, file } = this.#archive;
    const isCopy = (i: number) => this.#copyBefore(i);
    function* digests() {
      for (let i = first; i < index.count; i++) if (!isCopy(i)) yield index.digestAt(i);
    }
    const decode = (encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array) => this.#source.decode(file, encoded, digest);
    return this.#source.session.chunks(digests(), decode, { ahead: AHEAD })[Symbol.asyncIterator]();
  }
}
