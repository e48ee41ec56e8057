/** What all parts of one open datastore share. */
import type { StorageBackend } from "./backend/contract.ts";
import { groupPath, snapshotPath } from "../formats/backup_path.ts";
import type { LockDirectory } from "./locks/lock_directory.ts";
import type { GroupRef, SnapshotRef, SyncLevel } from "./types.ts";

/** One open store. */
export interface StoreContext {
  readonly name: string;
  readonly backend: StorageBackend;
  readonly locks: LockDirectory;
  /** Local path of the file that holds the process lock (`spec/datastore-layout.md` §6.1). */
  readonly processLock: string;
  readonly syncLevel: SyncLevel;
}

/** Name of the marker of a protected snapshot. */
export const PROTECTED_NAME = ".protected";
/** Name of the owner file of a group. */
export const OWNER_NAME = "owner";
/** Name of the notes file of a group. */
export const NOTES_NAME = "notes";

/** Path of a group below the base. Throws for a malformed namespace. */
export function pathOfGroup(group: GroupRef): string {
  return groupPath(group.ns, group);
}

/** Path of a snapshot below the base. Throws for a malformed namespace or time. */
export function pathOfSnapshot(snapshot: SnapshotRef): string {
  return snapshotPath(snapshot.ns, snapshot);
}
