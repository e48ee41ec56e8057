/** Shapes of the API answers that client commands print (`spec/reader-protocol.md` §7). */
import type { BackupGroup, BackupSnapshot, BackupType } from "../../formats/backup_path.ts";

/** One row of `groups`. */
export interface GroupRecord {
  readonly "backup-type": BackupType;
  readonly "backup-id": string;
  readonly "last-backup": number;
  readonly "backup-count": number;
  readonly files: readonly string[];
  readonly owner?: string;
}

/** One file of a snapshot. */
export interface FileRecord {
  readonly filename: string;
  readonly "crypt-mode"?: string;
  readonly size?: number;
}

/** One row of `snapshots`. */
export interface SnapshotRecord {
  readonly "backup-type": BackupType;
  readonly "backup-id": string;
  readonly "backup-time": number;
  readonly size?: number;
  readonly files: readonly FileRecord[];
  readonly owner?: string;
  readonly protected?: boolean;
}

/** The group of a record. */
export function backupGroupOf(record: { "backup-type": BackupType; "backup-id": string }): BackupGroup {
  return { type: record["backup-type"], id: record["backup-id"] };
}

/** The snapshot of a record. */
export function backupSnapshotOf(
  record: { "backup-type": BackupType; "backup-id": string; "backup-time": number },
): BackupSnapshot {
  return { ...backupGroupOf(record), time: record["backup-time"] };
}
