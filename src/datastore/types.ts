/** Values of the datastore room that other rooms hand around. Field names are camelCase; the API room maps them to the wire. */

import type { BackupType } from "../formats/backup_path.ts";

export type { BackupType };

/** One backup group: all snapshots of one guest or host. `ns` is the namespace path, `""` for the root. */
export interface GroupRef {
  readonly ns: string;
  readonly type: BackupType;
  readonly id: string;
}

/** One snapshot. `time` is in epoch seconds, ≥ 1. */
export interface SnapshotRef extends GroupRef {
  readonly time: number;
}

/** How a file of a snapshot is protected by the client. */
export type CryptMode = "none" | "sign-only" | "encrypt";

/** One file of a snapshot as the API lists it; crypt mode and size are known only for files that the manifest names. */
export interface SnapshotFile {
  readonly filename: string;
  readonly cryptMode?: CryptMode;
  /** Bytes: the logical archive size of an index, the encoded size of a blob. */
  readonly size?: number;
}

/** Result of the last verification, from the manifest. */
export interface VerifyState {
  readonly upid: string;
  readonly state: "ok" | "failed";
}

/** A snapshot in a listing (`spec/reader-protocol.md` §7.4). */
export interface SnapshotInfo extends SnapshotRef {
  /** First line of the notes, absent when there are none. */
  readonly comment?: string;
  readonly verification?: VerifyState;
  /** Key fingerprint as `aa:bb:…`, absent when neither encrypted nor signed. */
  readonly fingerprint?: string;
  readonly files: readonly SnapshotFile[];
  /** Sum of the file sizes in bytes; absent when the manifest is missing or unreadable (an unfinished snapshot). */
  readonly size?: number;
  readonly protected: boolean;
  /** Owner of the group, absent when its file is missing or unreadable. */
  readonly owner?: string;
}

/** A group in a listing (`spec/reader-protocol.md` §7.3). */
export interface GroupInfo extends GroupRef {
  /** Time of the newest finished snapshot; 0 when none is finished (the newest unfinished one counts then). */
  readonly lastBackup: number;
  /** Number of snapshots, finished or not. */
  readonly backupCount: number;
  /** Names of the files of the newest finished snapshot. */
  readonly files: readonly string[];
  readonly owner?: string;
  /** First line of the group notes, with its line end where it has one (PBS shows it so). */
  readonly comment?: string;
}

/** What a removal did (`spec/reader-protocol.md` §9.4). */
export interface DeleteStats {
  removedGroups: number;
  removedSnapshots: number;
  protectedSnapshots: number;
}

/** How eagerly data is forced to stable storage (`spec/datastore-layout.md` §7.2). */
export type SyncLevel = "none" | "file" | "filesystem";

/** Free-space report in bytes. */
export interface SpaceStatus {
  readonly total: number;
  readonly used: number;
  readonly avail: number;
}

/** Sums over the chunk uploads of a session (`spec/backup-protocol.md` §11); sizes in bytes. */
export interface UploadStats {
  count: number;
  size: number;
  compressedSize: number;
  duplicates: number;
}

/** Result of a chunk insert: the size of the file that is now stored, and whether it was there before. */
export interface InsertResult {
  readonly duplicate: boolean;
  readonly size: number;
}

/** An open file of a snapshot. Reads do not block the event loop. Close it. */
export interface StoredFile {
  /** Length in bytes when it was opened. */
  readonly size: number;
  /** Fills `buffer` from `offset` as far as the file goes; returns the number of bytes read. */
  read(offset: number, buffer: Uint8Array<ArrayBuffer>): Promise<number>;
  /** The whole file in one array. Throws when it is larger than `limit` bytes. */
  readAll(limit?: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): void;
}
