/** One running backup: the snapshot directory, its locks, and what is written into it until it is finished or aborted. */
import { DozoError } from "../base/errors.ts";
import type { SnapshotRef, UploadStats } from "./types.ts";

/** How a backup is begun. */
export interface BeginBackup {
  readonly snapshot: SnapshotRef;
  /** Authentication id of the caller; becomes the owner of a new group. */
  readonly caller: string;
  /** Owner test, so that this room needs no knowledge of tokens. Not called for a new group or a benchmark. */
  readonly mayWrite: (owner: string) => boolean;
  readonly benchmark?: boolean;
}

/** Exclusive write access to a new snapshot. Ends with exactly one of {@link finish} and {@link abort}. */
export class BackupWriter {
  constructor(readonly snapshot: SnapshotRef, readonly previous: SnapshotRef | undefined) {}

  /** Makes the snapshot valid: everything on stable storage (by sync level), then the manifest, then the locks are released. */
  finish(_manifest: Uint8Array<ArrayBuffer>, _stats: UploadStats): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Removes the snapshot directory (and the group when it became empty) and releases the locks. May be called twice. */
  abort(): Promise<void> {
    throw new DozoError("not available yet");
  }
}
