/** The plain bytes of an archive, chunk by chunk in order, fetched and decoded ahead. */
import { DozoError } from "../../base/errors.ts";
import type { SequentialSource } from "../../formats/pxar/sink.ts";
import type { IndexedArchive, SnapshotSource } from "./snapshot_source.ts";

/** Chunks fetched or decoded ahead of the consumer. */
const AHEAD = 6;
/** A jump over more bytes than this drops what was fetched ahead and starts anew behind it. */
const SKIP_LIMIT = 24 * 1024 * 1024;

/** Sequential reader over the chunks of one archive; `skip` does not fetch chunks that lie wholly inside the gap. */
export class ChunkStream implements SequentialSource {
  readonly #source: SnapshotSource;
  readonly #archive: IndexedArchive;
  #iterator?: AsyncIterator<Uint8Array>;
  /** Number of the chunk that the iterator delivers next. */
  #next = 0;
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
      const { value, done } = await this.#iterator.next();
      if (done) break;
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
    await iterator?.return?.();
  }

  #start(first: number): AsyncIterator<Uint8Array> {
    this.#next = first;
    const { index, file } = this.#archive;
    function* digests() {
      for (let i = first; i < index.count; i++) yield index.digestAt(i);
    }
    const decode = (encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array) => this.#source.decode(file, encoded, digest);
    return this.#source.session.chunks(digests(), decode, { ahead: AHEAD })[Symbol.asyncIterator]();
  }
}
