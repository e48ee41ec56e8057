/** The chunk store of one datastore: blobs named by digest, shared by all snapshots. */
import { DozoError } from "../base/errors.ts";
import type { StorageBackend } from "./backend/contract.ts";
import type { InsertResult, SyncLevel } from "./types.ts";

/** Chunk access of one open datastore. Every call may be used by several processes at once. */
export class ChunkStore {
  constructor(readonly backend: StorageBackend, readonly syncLevel: SyncLevel) {}

  /** Stores an encoded chunk (valid CRC) under its digest. Duplicates are touched and kept (`spec/datastore-layout.md` §7). */
  insert(_digest: Uint8Array, _blob: Uint8Array<ArrayBuffer>): Promise<InsertResult> {
    throw new DozoError("chunk insert is not available yet");
  }

  /** The encoded chunk as stored. Throws when it is missing. */
  read(_digest: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    throw new DozoError("chunk read is not available yet");
  }

  /** Makes the chunk young for garbage collection; false when it is missing. */
  touch(_digest: Uint8Array): Promise<boolean> {
    throw new DozoError("chunk touch is not available yet");
  }

  /** Whether the chunk is there (not whether it is sound). */
  has(_digest: Uint8Array): Promise<boolean> {
    throw new DozoError("chunk lookup is not available yet");
  }

  /** Moves a corrupt chunk out of the way (`<hex>.<n>.bad`); returns n, undefined when it had vanished. */
  renameCorrupt(_digest: Uint8Array): Promise<number | undefined> {
    throw new DozoError("chunk renaming is not available yet");
  }
}
