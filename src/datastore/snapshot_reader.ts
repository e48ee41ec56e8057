/** An open snapshot: its files, under a shared lock. */
import { DozoError } from "../base/errors.ts";
import { formatSnapshot } from "../formats/backup_path.ts";
import { MAX_ENCODED_CHUNK_SIZE } from "../formats/blob.ts";
import { isSafeId } from "../formats/names.ts";
import { pathOfSnapshot, type StoreContext } from "./context.ts";
import type { HeldLock } from "./locks/lock_file.ts";
import type { SnapshotRef, StoredFile } from "./types.ts";

/** Read access to one snapshot. Holds the shared snapshot lock until {@link close}. */
export class SnapshotReader implements Disposable {
  readonly #store: StoreContext;
  readonly #lock: HeldLock;

  private constructor(store: StoreContext, readonly snapshot: SnapshotRef, lock: HeldLock) {
    this.#store = store;
    this.#lock = lock;
  }

  /** Takes the lock. Throws when the snapshot is being written or removed. */
  static async open(store: StoreContext, snapshot: SnapshotRef): Promise<SnapshotReader> {
    const lock = await store.locks.trySnapshot(snapshot, "shared");
    if (!lock) {
      throw new DozoError(
        `while reading snapshot ${formatSnapshot(snapshot)}: unable to acquire shared snapshot lock ` +
          `"${store.locks.snapshotPath(snapshot)}" - it is being written or removed`,
      );
    }
    // It may have been removed between the caller's look and the lock.
    if ((await store.backend.stat(pathOfSnapshot(snapshot)))?.kind !== "directory") {
      lock.remove();
      throw new DozoError(`snapshot ${formatSnapshot(snapshot)} does not exist.`);
    }
    return new SnapshotReader(store, snapshot, lock);
  }

  /** Opens a file of the snapshot; undefined when it is missing. Throws for a name that is no safe id. */
  openFile(name: string): Promise<StoredFile | undefined> {
    return this.#store.backend.openEntry(this.#path(name));
  }

  /** Whole content of a small file (`limit` in bytes, default 16 MiB and header); undefined when missing. */
  readFile(name: string, limit: number = MAX_ENCODED_CHUNK_SIZE): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#store.backend.readEntry(this.#path(name), limit);
  }

  /** Full name of a file, for messages. */
  describe(name: string): string {
    return this.#store.backend.describe(this.#path(name));
  }

  #path(name: string): string {
    if (!isSafeId(name)) throw new DozoError("illegal file name in a snapshot");
    return `${pathOfSnapshot(this.snapshot)}/${name}`;
  }

  /** Gives the lock back. May be called twice. */
  close(): void {
    this.#lock.release();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
