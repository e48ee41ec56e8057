/**
 * The contract of a storage back end. `backend/conformance.ts` tests every implementation against it.
 *
 * A back end keeps two kinds of things under one store name:
 *
 * - **Entries**: small named files in a tree of directories (manifest, indexes, blobs, owner, notes, markers). Paths are
 *   relative, joined by `/`, made only of safe names (`spec/datastore-layout.md` §2.2) plus `.protected`; the caller has checked them.
 * - **Chunks**: blobs named by a 32-byte digest (`spec/blob.md`), never changed once stored.
 *
 * Promises every back end keeps:
 *
 * 1. `writeEntry` and `insertChunk` are atomic: a reader sees the old content, the new content or nothing,
 *    also after the process was killed. Leftovers of killed writers never appear in a listing.
 * 2. A call that returned an error left nothing behind, as far as the medium still answers.
 * 3. Errors are `DozoError`s that name the object and, for a full or read-only medium, what to do. Absence is `undefined`/`false`,
 *    not an error, in the calls that say so.
 * 4. What was written before `flush()` is on stable storage when `flush()` returns. `writeEntry` with `durable` is when it returns.
 * 5. `touchChunk` and an insert that found a duplicate make the chunk young again, and `removeChunk` never removes a young one,
 *    whatever processes do both at the same moment. No other operation than `removeChunk` makes a chunk unreadable, and `renameCorruptChunk` only under its digest.
 * 6. Several processes may work on one store at the same time. What one of them has committed, the others see at the next call.
 * 7. Foreign things (symlinks, devices, unknown names) are neither followed nor listed as files, and never break a listing.
 *
 * Locks are not part of it: they are local to the host (`locks/`), as in the reference, whatever the medium.
 */
import type { InsertResult, SpaceStatus, StoredFile, SyncLevel } from "../types.ts";

/** One name in a directory. Symlinks and special files are `other`. */
export interface DirectoryEntry {
  readonly name: string;
  readonly kind: "file" | "directory" | "other";
}

/** What is known of an entry without reading it. `version` changes whenever the content may have changed. */
export interface EntryStat {
  readonly kind: "file" | "directory" | "other";
  readonly size: number;
  /** Time of the last modification in epoch seconds. */
  readonly mtime: number;
  readonly version: string;
}

/** How {@link StorageBackend.writeEntry} stores. */
export interface WriteOptions {
  readonly exclusive?: boolean;
  readonly durable?: boolean;
}

/** One chunk file met while walking the store (garbage collection, checks). Times in epoch seconds, sizes in bytes. */
export interface ChunkEntry {
  readonly digest: Uint8Array<ArrayBuffer>;
  /** n of a `.n.bad` file, undefined for a normal chunk. */
  readonly bad?: number;
  readonly size: number;
  readonly atime: number;
}

/** Storage of one datastore. See the head of this file for the promises. */
export interface StorageBackend {
  /** `filesystem` or `s3`. */
  readonly type: string;
  /** How a path is shown to people, for error texts and logs, e.g. `/mnt/datastore/store1/vm/100`. */
  describe(path: string): string;

  /** Names in a directory in no particular order; undefined when it does not exist or is not a directory. */
  list(path: string): Promise<DirectoryEntry[] | undefined>;
  /** Undefined when there is nothing under that name. Never follows a symlink. */
  stat(path: string): Promise<EntryStat | undefined>;
  /** Creates a directory and its parents. Returns false when it existed. */
  createDirectory(path: string): Promise<boolean>;
  /** Removes a directory with everything below it. Absence is not an error. */
  removeTree(path: string): Promise<void>;
  /** Removes an empty directory; returns false when it is missing or not empty. */
  removeDirectory(path: string): Promise<boolean>;
  /** Moves a directory to a new name on the same store; the target must not exist. */
  moveTree(from: string, to: string): Promise<void>;

  /** Whole content of a file; undefined when missing. Throws above `limit` bytes or when it is not a regular file. */
  readEntry(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Opens a file for random reading; undefined when missing. */
  openEntry(path: string): Promise<StoredFile | undefined>;
  /**
   * Stores a file (its content in pieces), replacing what is there. With `exclusive` an existing file is kept and false
   * is returned. `durable`: on stable storage when the promise resolves. The parent directory must exist.
   */
  writeEntry(path: string, parts: readonly Uint8Array<ArrayBuffer>[], options?: WriteOptions): Promise<boolean>;
  /** Removes a file; returns false when it was missing. */
  removeEntry(path: string): Promise<boolean>;

  /** Stores a chunk by the rules of `spec/datastore-layout.md` §7. `blob` is the complete encoded chunk with a valid CRC. */
  insertChunk(digest: Uint8Array, blob: Uint8Array<ArrayBuffer>, sync: SyncLevel): Promise<InsertResult>;
  /** The stored chunk with header; undefined when missing. */
  readChunk(digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined>;
  /** Size in bytes of the stored chunk; undefined when missing. Does not touch it. */
  chunkSize(digest: Uint8Array): Promise<number | undefined>;
  /** Makes the chunk young (`spec/datastore-layout.md` §8); false when it is missing. */
  touchChunk(digest: Uint8Array): Promise<boolean>;
  /** As {@link touchChunk} for all `.n.bad` files of a digest; returns how many there are. */
  touchBadChunks(digest: Uint8Array): Promise<number>;
  /** Renames a corrupt chunk to `<hex>.<n>.bad` and returns n; undefined when it had vanished (`spec` §11). */
  renameCorruptChunk(digest: Uint8Array): Promise<number | undefined>;
  /** All chunks in ascending order of their first two digest bytes. */
  chunks(): AsyncIterable<ChunkEntry>;
  /**
   * Deletes one chunk file (garbage collection only), but only when its atime still is below `olderThan` (epoch seconds):
   * the decision and the removal exclude a {@link touchChunk} or insert of any process. False when it is young or gone.
   */
  removeChunk(digest: Uint8Array, bad: number | undefined, olderThan: number): Promise<boolean>;

  /** Forces everything written so far to stable storage. */
  flush(): Promise<void>;
  /** Total, used and available bytes of the medium, as far as it can tell. */
  space(): Promise<SpaceStatus>;
  /** Frees what the back end holds open. */
  close(): void;
}
