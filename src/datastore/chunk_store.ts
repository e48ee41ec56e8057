/** The chunk store of one datastore: blobs named by digest, shared by all snapshots. */
import { DozoError } from "../base/errors.ts";
import type { ChunkEntry, StorageBackend } from "./backend/contract.ts";
import { chunkPath } from "./backend/chunk_path.ts";
import type { InsertResult, SyncLevel } from "./types.ts";

/** Chunk access of one open datastore. Every call may be used by several processes at once. */
export class ChunkStore {
  readonly #backend: StorageBackend;
  readonly #syncLevel: SyncLevel;

  constructor(backend: StorageBackend, syncLevel: SyncLevel) {
    this.#backend = backend;
    this.#syncLevel = syncLevel;
  }

  /**
   * Stores an encoded chunk (valid CRC, content checked by the caller) under its digest. Duplicates are touched and kept
   * (`spec/datastore-layout.md` §7).
   */
  insert(digest: Uint8Array, blob: Uint8Array<ArrayBuffer>): Promise<InsertResult> {
    return this.#backend.insertChunk(digest, blob, this.#syncLevel);
  }

  /** The encoded chunk as stored, unchecked. Throws when it is missing. */
  async read(digest: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    const blob = await this.#backend.readChunk(digest);
    if (blob) return blob;
    const name = this.#backend.describe(`.chunks/${chunkPath(digest)}`);
    throw new DozoError(`reading file "${name}" failed: No such file or directory (os error 2)`);
  }

  /** Makes the chunk young for garbage collection; false when it is missing. */
  touch(digest: Uint8Array): Promise<boolean> {
    return this.#backend.touchChunk(digest);
  }

  /** As {@link touch} for the `.n.bad` files of a digest; returns how many there are. */
  touchBad(digest: Uint8Array): Promise<number> {
    return this.#backend.touchBadChunks(digest);
  }

  /** Whether the chunk is there (not whether it is sound). */
  async has(digest: Uint8Array): Promise<boolean> {
    return await this.size(digest) !== undefined;
  }

  /** Size in bytes of the stored chunk; undefined when it is missing. */
  size(digest: Uint8Array): Promise<number | undefined> {
    return this.#backend.chunkSize(digest);
  }

  /** Moves a corrupt chunk out of the way (`<hex>.<n>.bad`); returns n, undefined when it had vanished. */
  renameCorrupt(digest: Uint8Array): Promise<number | undefined> {
    return this.#backend.renameCorruptChunk(digest);
  }

  /** All chunk files, ascending by their first two digest bytes. */
  entries(): AsyncIterable<ChunkEntry> {
    return this.#backend.chunks();
  }

  /** Deletes a chunk file that is older than `olderThan` (epoch seconds); false when it is young or gone. For garbage collection. */
  remove(entry: Pick<ChunkEntry, "digest" | "bad">, olderThan: number): Promise<boolean> {
    return this.#backend.removeChunk(entry.digest, entry.bad, olderThan);
  }
}
