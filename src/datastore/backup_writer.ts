/** One running backup: the snapshot directory, its locks, and what is written into it until it is finished or aborted. */
import { DozoError, errorMessage } from "../base/errors.ts";
import { isStoredName, MANIFEST_NAME } from "../formats/archive_name.ts";
import { formatSnapshot } from "../formats/backup_path.ts";
import { Manifest } from "../formats/manifest.ts";
import { pathOfSnapshot, type StoreContext } from "./context.ts";
import type { HeldLock } from "./locks/lock_file.ts";
import type { ProcessLockHold } from "./locks/process_lock.ts";
import { storeManifest } from "./manifests.ts";
import { removeEmptyGroup } from "./removal.ts";
import type { SnapshotRef, StoredFile, UploadStats } from "./types.ts";

/** What a running backup holds. */
export interface Holds {
  readonly group: HeldLock;
  snapshot?: HeldLock;
  previous?: HeldLock;
  process?: ProcessLockHold;
  writer?: HeldLock;
}

/** Gives everything back. */
export function releaseHolds(holds: Holds): void {
  holds.previous?.release();
  holds.process?.release();
  holds.writer?.remove();
  holds.snapshot?.release();
  holds.group.release();
}

/** Exclusive write access to a new snapshot. Ends with {@link finish} or {@link abort}; see `backup_begin.ts` for the start. */
export class BackupWriter {
  readonly snapshot: SnapshotRef;
  /** The snapshot that this one builds upon; share-locked until the end. */
  readonly previous: SnapshotRef | undefined;
  /** What was found and done at the start, for the log. */
  readonly notes: readonly string[];
  readonly #store: StoreContext;
  readonly #holds: Holds;
  /** Writes that have begun and not ended. */
  readonly #writes = new Set<Promise<unknown>>();
  #manifest: Uint8Array<ArrayBuffer> | undefined;
  #ended = false;

  constructor(
    store: StoreContext,
    snapshot: SnapshotRef,
    previous: SnapshotRef | undefined,
    holds: Holds,
    notes: readonly string[],
  ) {
    this.#store = store;
    this.snapshot = snapshot;
    this.previous = previous;
    this.#holds = holds;
    this.notes = notes;
  }

  /**
   * Stores a file of the snapshot (an index or an encoded blob, in pieces), replacing one of the same name. The manifest
   * is kept back until {@link finish}: its presence on disk says that the snapshot is complete.
   */
  async write(name: string, parts: readonly Uint8Array<ArrayBuffer>[]): Promise<void> {
    this.#checkOpen();
    if (!isStoredName(name)) throw new DozoError(`'${name}' is no name of a backup file`);
    if (name === MANIFEST_NAME) {
      this.#manifest = new Uint8Array(await new Blob([...parts]).arrayBuffer());
      return;
    }
    const write = this.#store.backend.writeEntry(`${pathOfSnapshot(this.snapshot)}/${name}`, parts);
    this.#writes.add(write);
    try {
      await write;
    } finally {
      this.#writes.delete(write);
    }
  }

  /** Opens a file of the previous snapshot; undefined when it is missing. Throws when there is no previous snapshot. */
  openPrevious(name: string): Promise<StoredFile | undefined> {
    if (!this.previous) throw new DozoError("no valid previous backup");
    return this.#store.backend.openEntry(`${pathOfSnapshot(this.previous)}/${name}`);
  }

  /** Full name of a file of the previous snapshot, for messages. */
  describePrevious(name: string): string {
    return this.#store.backend.describe(`${pathOfSnapshot(this.previous ?? this.snapshot)}/${name}`);
  }

  /**
   * Makes the snapshot valid. Order: everything else reaches stable storage (unless the sync level is `none`), then the
   * manifest with the statistics is put in place and synced, then all locks are released. After an error the snapshot
   * is not valid: call {@link abort}.
   */
  async finish(stats: UploadStats): Promise<void> {
    this.#checkOpen();
    const manifest = await this.#parsedManifest();
    manifest.chunkUploadStats = {
      count: stats.count,
      size: stats.size,
      compressed_size: stats.compressedSize,
      duplicates: stats.duplicates,
    };
    await this.#checkPrevious();
    await Promise.allSettled(this.#writes);
    const durable = this.#store.syncLevel !== "none";
    if (durable) await this.#store.backend.flush();
    {
      using _lock = await this.#store.locks.manifest(this.snapshot);
      await storeManifest(this.#store, this.snapshot, manifest, durable);
    }
    this.#ended = true;
    releaseHolds(this.#holds);
  }

  async #parsedManifest(): Promise<Manifest> {
    if (!this.#manifest) {
      const path = this.#store.backend.describe(`${pathOfSnapshot(this.snapshot)}/${MANIFEST_NAME}`);
      throw new DozoError(
        `unable to update manifest blob - unable to load blob '"${path}"' - No such file or directory (os error 2)`,
      );
    }
    try {
      return await Manifest.decode(this.#manifest);
    } catch (error) {
      throw new DozoError(`unable to update manifest blob - ${errorMessage(error)}`, { cause: error });
    }
  }

  async #checkPrevious(): Promise<void> {
    if (!this.previous) return;
    if ((await this.#store.backend.stat(pathOfSnapshot(this.previous)))?.kind === "directory") return;
    throw new DozoError(
      `base snapshot ${
        formatSnapshot(this.previous)
      } was removed during backup, cannot finish as chunks might be missing`,
    );
  }

  /**
   * Removes the snapshot directory, and the group when it became empty, then releases the locks. After {@link finish}
   * or a second time it does nothing. Throws when the directory cannot be removed; the locks are released then too.
   */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await Promise.allSettled(this.#writes);
    try {
      await this.#store.backend.removeTree(pathOfSnapshot(this.snapshot));
      this.#holds.snapshot?.remove();
      await removeEmptyGroup(this.#store, this.snapshot, this.#holds.group);
    } finally {
      releaseHolds(this.#holds);
    }
  }

  #checkOpen(): void {
    if (this.#ended) throw new DozoError("the backup has ended");
  }
}
