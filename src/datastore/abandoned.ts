/**
 * Snapshot directories that killed sessions left behind: no manifest, no lock held. They are removed at the next backup of the
 * group and at the start of a server, so that nobody has to repair anything by hand and a client may try the same second
 * again, as a sync job of another server does. (PBS keeps them and refuses that second for good.)
 *
 * A directory that someone is copying into the store has no manifest yet either. So one without a lock file, which no session
 * of this host has written since boot, is left alone until it has not changed for an hour.
 */
import { MAX_NAMESPACE_DEPTH } from "../formats/namespace.ts";
import { pathOfSnapshot, type StoreContext } from "./context.ts";
import type { HeldLock } from "./locks/lock_file.ts";
import { isProtected, removeGroupIfEmpty } from "./removal.ts";
import { childNamespaces, groupsOf, isFinished, timesOf } from "./tree.ts";
import type { GroupRef, SnapshotRef } from "./types.ts";

const UNTOUCHED_SECONDS = 3600;

/** Removes the abandoned snapshots of one group that are newer than `after`; returns their references. */
export async function removeAbandonedOf(store: StoreContext, group: GroupRef, after = 0): Promise<SnapshotRef[]> {
  const removed: SnapshotRef[] = [];
  for (const time of await timesOf(store.backend, group)) {
    if (time <= after) continue;
    const snapshot = { ns: group.ns, type: group.type, id: group.id, time };
    if (await isFinished(store.backend, snapshot) || !await mayBeAbandoned(store, snapshot)) continue;
    using lock = await store.locks.trySnapshot(snapshot, "exclusive");
    if (lock && await removeLeftover(store, snapshot, lock)) removed.push(snapshot);
  }
  return removed;
}

/** Removes the abandoned snapshots of the whole store, and groups that became empty by it; returns their references. */
export async function removeAbandoned(store: StoreContext): Promise<SnapshotRef[]> {
  const removed: SnapshotRef[] = [];
  const visit = async (ns: string, depth: number) => {
    for (const group of await groupsOf(store.backend, ns)) {
      const gone = await removeAbandonedOf(store, group);
      if (gone.length > 0) await removeGroupIfEmpty(store, group);
      removed.push(...gone);
    }
    if (depth === 0) return;
    for (const child of await childNamespaces(store.backend, ns)) await visit(child, depth - 1);
  };
  await visit("", MAX_NAMESPACE_DEPTH);
  return removed;
}

/**
 * Removes what lies in the directory of a snapshot whose exclusive lock the caller holds; false when it is finished or
 * protected. The lock file goes with it unless `lock` is left out.
 */
export async function removeLeftover(store: StoreContext, snapshot: SnapshotRef, lock?: HeldLock): Promise<boolean> {
  if (await isFinished(store.backend, snapshot) || await isProtected(store, snapshot)) return false;
  await store.backend.removeTree(pathOfSnapshot(snapshot));
  lock?.remove();
  return true;
}

async function mayBeAbandoned(store: StoreContext, snapshot: SnapshotRef): Promise<boolean> {
  try {
    await Deno.lstat(store.locks.snapshotPath(snapshot));
    return true;
  } catch {
    const stat = await store.backend.stat(pathOfSnapshot(snapshot));
    return stat !== undefined && Date.now() / 1000 - stat.mtime > UNTOUCHED_SECONDS;
  }
}
