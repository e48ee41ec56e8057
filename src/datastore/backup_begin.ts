/** Beginning a backup: directories, owner, previous snapshot and locks (`spec/backup-protocol.md` §3, steps 9 to 14). */
import { DozoError } from "../base/errors.ts";
import { formatGroup, formatSnapshot } from "../formats/backup_path.ts";
import { removeAbandonedOf, removeLeftover } from "./abandoned.ts";
import { BackupWriter, type Holds, releaseHolds } from "./backup_writer.ts";
import { OWNER_NAME, pathOfGroup, pathOfSnapshot, type StoreContext } from "./context.ts";
import { isOwner, ownerFile, readOwner } from "./group_owner.ts";
import { lockProcessShared } from "./locks/process_lock.ts";
import { loadManifest } from "./manifests.ts";
import { removeEmptyGroup } from "./removal.ts";
import { newestFinished, timesOf } from "./tree.ts";
import type { GroupRef, SnapshotRef } from "./types.ts";

/** How a backup is begun. The namespace must exist. */
export interface BeginBackup {
  readonly snapshot: SnapshotRef;
  /** Authentication id of the caller; becomes the owner of a new group. */
  readonly caller: string;
  /** A benchmark needs no ownership. */
  readonly benchmark?: boolean;
}

/**
 * Begins a backup. Everything taken is given back when it throws. Errors (400): the group is locked, another owner,
 * not newer than the previous snapshot, the previous one is locked exclusively, the snapshot exists already.
 */
export async function beginBackup(store: StoreContext, begin: BeginBackup): Promise<BackupWriter> {
  const { snapshot, caller, benchmark = false } = begin;
  const group: GroupRef = { ns: snapshot.ns, type: snapshot.type, id: snapshot.id };
  const holds: Holds = { group: await lockGroup(store, group) };
  let created = false;
  try {
    created = await createGroup(store, group, caller);
    if (!benchmark && !created) {
      const owner = await readOwner(store, group);
      if (!isOwner(owner, caller)) throw new DozoError(`backup owner check failed (${caller} != ${owner})`);
    }
    const newest = await newestFinished(store.backend, group);
    const previous = newest && await isUsable(store, newest) ? newest : undefined;
    if (previous) {
      if (snapshot.time <= previous.time) throw new DozoError("backup timestamp is older than last backup.");
      holds.previous = await store.locks.snapshot(previous, "shared");
    }
    holds.snapshot = await store.locks.snapshot(snapshot, "exclusive");
    const notes = await createSnapshot(store, snapshot, newest?.time ?? 0);
    try {
      const start = Math.floor(Date.now() / 1000);
      holds.process = lockProcessShared(store.processLock, start);
      holds.writer = await store.locks.registerWriter(start);
    } catch (error) {
      await store.backend.removeTree(pathOfSnapshot(snapshot));
      throw error;
    }
    return new BackupWriter(store, snapshot, previous, holds, notes);
  } catch (error) {
    if (created) await removeEmptyGroup(store, group, holds.group).catch(() => {});
    releaseHolds(holds);
    throw error;
  }
}

async function lockGroup(store: StoreContext, group: GroupRef) {
  const lock = await store.locks.tryGroup(group);
  if (lock) return lock;
  throw new DozoError(
    `unable to acquire backup group lock "${store.locks.groupPath(group)}" while creating locked backup group ` +
      `"${store.backend.describe(pathOfGroup(group))}" - another backup of ${formatGroup(group)} is running`,
  );
}

/** Makes the group directory; true when the group is new. One without owner and snapshots is what a killed server left: new. */
async function createGroup(store: StoreContext, group: GroupRef, caller: string): Promise<boolean> {
  const path = pathOfGroup(group);
  const created = await store.backend.createDirectory(path);
  const ownerPath = `${path}/${OWNER_NAME}`;
  if (!created) {
    if (await store.backend.stat(ownerPath) || (await timesOf(store.backend, group)).length > 0) return false;
  }
  await store.backend.writeEntry(ownerPath, [ownerFile(caller)], { exclusive: true });
  return true;
}

/**
 * Whether a new snapshot may build upon the newest finished one: not when its verification failed
 * (`spec/backup-protocol.md` §3.1). Throws when its manifest cannot be read.
 */
async function isUsable(store: StoreContext, newest: SnapshotRef): Promise<boolean> {
  return (await loadManifest(store, newest)).verifyState?.state !== "failed";
}

/**
 * Makes the snapshot directory under its lock and clears what killed sessions have left since the group's newest finished
 * snapshot; returns what to say about them.
 */
async function createSnapshot(store: StoreContext, snapshot: SnapshotRef, newest: number): Promise<string[]> {
  const notes: string[] = [];
  const path = pathOfSnapshot(snapshot);
  if (!await store.backend.createDirectory(path)) {
    if (!await removeLeftover(store, snapshot)) throw new DozoError("backup directory already exists.");
    notes.push(`removed what an interrupted backup had left of ${formatSnapshot(snapshot)}`);
    await store.backend.createDirectory(path);
  }
  // Other leftovers of the group are a courtesy: their removal must not stop the backup.
  const others = await removeAbandonedOf(store, snapshot, newest).catch(() => []);
  for (const other of others) notes.push(`removed the interrupted backup ${formatSnapshot(other)}`);
  return notes;
}
