/** The locks of one store: group, snapshot and manifest (`spec/datastore-layout.md` §6.2 and §6.3). */
import type { GroupRef, SnapshotRef } from "../types.ts";
import { type HeldLock, lockFile, type LockKind, tryLockFile } from "./lock_file.ts";
import { oldestWriter, registerWriter } from "./writers.ts";
import { groupLockName, manifestLockName, snapshotLockName } from "./lock_names.ts";

const MANIFEST_WAIT_MS = 5000;

/** Takes locks in the lock directory of one store. None of them waits but the manifest lock (5 s). */
export class LockDirectory {
  readonly path: string;
  readonly #owner?: { readonly uid: number; readonly gid: number };

  /** `path`: `<lock directory>/<store name>`; made when the first lock is taken. */
  constructor(path: string, owner?: { uid: number; gid: number }) {
    this.path = path;
    this.#owner = owner;
  }

  /** Exclusive lock of a group. Throws when another holds it. */
  group(group: GroupRef): Promise<HeldLock> {
    const path = this.groupPath(group);
    return lockFile(path, { kind: "exclusive", owner: this.#owner }, "unable to acquire backup group lock");
  }

  /** Exclusive lock of a group, or undefined when another holds it. */
  tryGroup(group: GroupRef): Promise<HeldLock | undefined> {
    return tryLockFile(this.groupPath(group), { kind: "exclusive", owner: this.#owner });
  }

  /** Lock of a snapshot. Throws when another holds one that excludes it. */
  snapshot(snapshot: SnapshotRef, kind: LockKind): Promise<HeldLock> {
    const path = this.snapshotPath(snapshot);
    return lockFile(path, { kind, owner: this.#owner }, "unable to acquire snapshot lock");
  }

  /** Lock of a snapshot, or undefined when another holds one that excludes it. */
  trySnapshot(snapshot: SnapshotRef, kind: LockKind): Promise<HeldLock | undefined> {
    return tryLockFile(this.snapshotPath(snapshot), { kind, owner: this.#owner });
  }

  /** Exclusive lock of a manifest; waits up to 5 s. */
  manifest(snapshot: SnapshotRef): Promise<HeldLock> {
    const path = `${this.path}/${manifestLockName(snapshot)}`;
    const request = { kind: "exclusive", wait: MANIFEST_WAIT_MS, owner: this.#owner } as const;
    return lockFile(path, request, "unable to acquire manifest lock");
  }

  /** Registers a running backup that began at `startTime` (epoch seconds); end it with `remove()`. */
  registerWriter(startTime: number): Promise<HeldLock> {
    return registerWriter(this.path, startTime, this.#owner);
  }

  /** Start time (epoch seconds) of the oldest running backup of any process. */
  oldestWriter(): Promise<number | undefined> {
    return oldestWriter(this.path);
  }

  groupPath(group: GroupRef): string {
    return `${this.path}/${groupLockName(group)}`;
  }

  snapshotPath(snapshot: SnapshotRef): string {
    return `${this.path}/${snapshotLockName(snapshot)}`;
  }

  manifestPath(snapshot: SnapshotRef): string {
    return `${this.path}/${manifestLockName(snapshot)}`;
  }
}
