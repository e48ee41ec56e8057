/** Snapshots of one datastore: listing, notes, protection, verification state, removal, the client log. */
import { DozoError } from "../base/errors.ts";
import type { SnapshotReader } from "./snapshot_reader.ts";
import type { GroupRef, SnapshotFile, SnapshotInfo, SnapshotRef, VerifyState } from "./types.ts";

/** Operations on snapshots; permission checks are the caller's. */
export class Snapshots {
  /** Snapshots of a namespace, optionally of one type or one group, groups sorted, oldest snapshot first. Damaged ones are listed too. */
  list(_ns: string, _filter?: { type?: string; id?: string }): Promise<SnapshotInfo[]> {
    throw new DozoError("not available yet");
  }

  /** Times of the snapshots of a group, ascending, and whether each is finished. Reads no manifest. */
  times(_group: GroupRef): Promise<{ time: number; finished: boolean }[]> {
    throw new DozoError("not available yet");
  }

  /** One snapshot as {@link list} shows it. Throws when it does not exist. */
  info(_snapshot: SnapshotRef): Promise<SnapshotInfo> {
    throw new DozoError("not available yet");
  }

  /** Files as `GET …/files` lists them (`spec/reader-protocol.md` §4.3). Throws when the manifest cannot be read. */
  files(_snapshot: SnapshotRef): Promise<SnapshotFile[]> {
    throw new DozoError("not available yet");
  }

  exists(_snapshot: SnapshotRef): Promise<boolean> {
    throw new DozoError("not available yet");
  }

  /** Notes of the snapshot, `""` when there are none. */
  notes(_snapshot: SnapshotRef): Promise<string> {
    throw new DozoError("not available yet");
  }

  /** Replaces the notes in the manifest under the manifest lock. */
  setNotes(_snapshot: SnapshotRef, _notes: string): Promise<void> {
    throw new DozoError("not available yet");
  }

  isProtected(_snapshot: SnapshotRef): Promise<boolean> {
    throw new DozoError("not available yet");
  }

  /** Sets or clears the protection under the exclusive snapshot lock. */
  setProtected(_snapshot: SnapshotRef, _protect: boolean): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Stores the result of a verification in the manifest. */
  setVerifyState(_snapshot: SnapshotRef, _state: VerifyState): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Removes a snapshot. Refused when it is protected or locked. Removes the group when it was the last one. */
  forget(_snapshot: SnapshotRef): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Stores `client.log.blob` once; checks the blob's CRC. */
  uploadLog(_snapshot: SnapshotRef, _blob: Uint8Array<ArrayBuffer>): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Opens a snapshot for reading under a shared lock, so that it is neither pruned nor forgotten meanwhile. */
  open(_snapshot: SnapshotRef): Promise<SnapshotReader> {
    throw new DozoError("not available yet");
  }
}
