/** Opening a backup session: all checks in the order of `spec/backup-protocol.md` §3. */
import type { SessionHost, UpgradedSession, UpgradeRequest } from "../session/types.ts";

/** Value of the `Upgrade` header. */
export const BACKUP_PROTOCOL = "proxmox-backup-protocol-v1";

/** A backup session after all checks; `snapshot` names what it writes. */
export type BackupSession = UpgradedSession;

/**
 * Runs the checks 2 to 14 for an authenticated caller, takes the locks and makes the snapshot directory. Throws
 * `DozoError` with the status and text for an ordinary HTTP/1.1 answer; then nothing is held.
 */
export function openBackupSession(request: UpgradeRequest, host: SessionHost): Promise<BackupSession> {
  void [request, host];
  throw new Error("not yet available");
}
