/** Removal of snapshots and groups (`spec/datastore-layout.md` §5). Chunks are never removed here. */
import { DozoError, errorMessage } from "../base/errors.ts";
import { formatGroup, formatSnapshot } from "../formats/backup_path.ts";
import { NOTES_NAME, OWNER_NAME, pathOfGroup, pathOfSnapshot, PROTECTED_NAME, type StoreContext } from "./context.ts";
import type { HeldLock } from "./locks/lock_file.ts";
import { isTempName } from "./backend/temp_name.ts";
import { timesOf } from "./tree.ts";
import type { DeleteStats, GroupRef, SnapshotRef } from "./types.ts";

/** Whether a snapshot is protected. */
export async function isProtected(store: StoreContext, snapshot: SnapshotRef): Promise<boolean> {
  return await store.backend.stat(`${pathOfSnapshot(snapshot)}/${PROTECTED_NAME}`) !== undefined;
}

/** Removes a snapshot; refused when it is protected or locked. Its group goes with the last snapshot. */
export async function forgetSnapshot(store: StoreContext, snapshot: SnapshotRef): Promise<void> {
  const path = pathOfSnapshot(snapshot);
  if ((await store.backend.stat(path))?.kind !== "directory") {
    throw new DozoError(`snapshot ${formatSnapshot(snapshot)} does not exist.`);
  }
  let lock: HeldLock;
  try {
    lock = await store.locks.snapshot(snapshot, "exclusive");
  } catch (error) {
    const name = store.backend.describe(path);
    throw new DozoError(
      `failed to delete snapshot - while destroying snapshot "${name}": ${errorMessage(error)}; ` +
        "it is being written, read or verified",
      { cause: error },
    );
  }
  try {
    await destroyLocked(store, snapshot, lock);
  } finally {
    lock.release();
  }
  await removeGroupIfEmpty(store, snapshot);
}

/** Removes a snapshot whose exclusive lock `lock` the caller holds. Refused when it is protected. */
async function destroyLocked(store: StoreContext, snapshot: SnapshotRef, lock: HeldLock): Promise<void> {
  const manifestLock = await store.locks.manifest(snapshot);
  try {
    if (await isProtected(store, snapshot)) {
      throw new DozoError(`cannot remove protected snapshot ${formatSnapshot(snapshot)}`);
    }
    await store.backend.removeTree(pathOfSnapshot(snapshot));
    manifestLock.remove();
    lock.remove();
  } finally {
    manifestLock.release();
  }
}

/** Removes a group that holds no snapshot any more, when its lock is free. */
export async function removeGroupIfEmpty(store: StoreContext, group: GroupRef): Promise<boolean> {
  const lock = await store.locks.tryGroup(group);
  if (!lock) return false;
  try {
    return await removeEmptyGroup(store, group, lock);
  } finally {
    lock.release();
  }
}

/** Removes a group without snapshots under its lock; false when it has some. The lock file goes with it. */
export async function removeEmptyGroup(store: StoreContext, group: GroupRef, lock: HeldLock): Promise<boolean> {
  if ((await timesOf(store.backend, group)).length > 0) return false;
  const path = pathOfGroup(group);
  await store.backend.removeEntry(`${path}/${NOTES_NAME}`);
  await store.backend.removeEntry(`${path}/${OWNER_NAME}`);
  // What a process killed while it replaced one of these files has left.
  for (const { name, kind } of await store.backend.list(path) ?? []) {
    if (kind === "file" && isTempName(name)) await store.backend.removeEntry(`${path}/${name}`);
  }
  const removed = await store.backend.removeDirectory(path);
  lock.remove();
  return removed;
}

/**
 * Removes all snapshots of a group that are neither protected nor in use, then the group if nothing is left. Throws after
 * that when something was in use.
 */
export async function removeGroup(store: StoreContext, group: GroupRef): Promise<DeleteStats> {
  const stats = { removedGroups: 0, removedSnapshots: 0, protectedSnapshots: 0 };
  const inUse: string[] = [];
  const lock = await store.locks.group(group);
  try {
    for (const time of await timesOf(store.backend, group)) {
      const snapshot: SnapshotRef = { ns: group.ns, type: group.type, id: group.id, time };
      if (await isProtected(store, snapshot)) {
        stats.protectedSnapshots++;
        continue;
      }
      using snapshotLock = await store.locks.trySnapshot(snapshot, "exclusive");
      if (!snapshotLock) {
        inUse.push(formatSnapshot(snapshot));
        continue;
      }
      await destroyLocked(store, snapshot, snapshotLock);
      stats.removedSnapshots++;
    }
    if (await removeEmptyGroup(store, group, lock)) stats.removedGroups++;
  } finally {
    lock.release();
  }
  if (inUse.length > 0) {
    throw new DozoError(
      `removed ${stats.removedSnapshots} snapshots of ${formatGroup(group)}, but not ${inUse.join(", ")}: ` +
        "being read or verified, try again later",
    );
  }
  return stats;
}
