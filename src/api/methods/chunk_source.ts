/** Random access to the content of an archive, chunk by chunk. */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import type { ChunkStore } from "../../datastore/chunk_store.ts";
import { decodeBlob, MAX_CHUNK_SIZE } from "../../formats/blob.ts";
import { chunkDigest } from "../../formats/crypt_key.ts";
import type { ChunkIndex } from "../../formats/index_source.ts";

/** Decoded chunks that are kept: a directory table and the files beside it mostly lie in a few. */
const KEPT = 4;

/** The decoded content of a chunk, checked against its digest. Throws {@link DozoError} when it is damaged or encrypted. */
export async function readChunk(chunks: ChunkStore, digest: Uint8Array, size: number): Promise<Uint8Array> {
  const data = await decodeBlob(await chunks.read(digest), { maxSize: MAX_CHUNK_SIZE });
  if (data.length !== size || toHex(await chunkDigest(data)) !== toHex(digest)) {
    throw new DozoError(`chunk ${toHex(digest)} is damaged: its content is not what its name says`);
  }
  return data;
}

/** Bytes of an archive at any place; reads of the same chunk at the same time share one. */
export class ChunkSource {
  readonly size: number;
  readonly #chunks: ChunkStore;
  readonly #index: ChunkIndex;
  readonly #kept = new Map<number, Promise<Uint8Array>>();

  constructor(chunks: ChunkStore, index: ChunkIndex) {
    this.#chunks = chunks;
    this.#index = index;
    this.size = index.size;
  }

  /** Exactly `length` bytes at `offset`. Throws {@link DozoError} beyond the end. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new DozoError(`reading ${length} bytes at ${offset} of an archive of ${this.size} bytes`);
    }
    const bytes = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const number = this.#index.find(offset + at);
      const { start } = this.#index.chunkAt(number);
      const data = await this.#chunk(number);
      const part = data.subarray(offset + at - start, offset + length - start);
      bytes.set(part, at);
      at += part.length;
    }
    return bytes;
  }

  #chunk(number: number): Promise<Uint8Array> {
    const known = this.#kept.get(number);
    if (known) return known;
    const { start, end, digest } = this.#index.chunkAt(number);
    const chunk = readChunk(this.#chunks, digest.slice(), end - start);
    chunk.catch(() => this.#kept.delete(number));
    this.#kept.set(number, chunk);
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as number);
    return chunk;
  }
}
