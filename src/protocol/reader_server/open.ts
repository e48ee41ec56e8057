/** Opening a reader session: all checks in the order of `spec/reader-protocol.md` §1.2. */
import type { SessionHost, UpgradedSession, UpgradeRequest } from "../session/types.ts";

/** Value of the `Upgrade` header. */
export const READER_PROTOCOL = "proxmox-backup-reader-protocol-v1";

/**
 * Runs the checks 2 to 8 for an authenticated caller and takes the shared snapshot lock. Throws `DozoError` with the
 * status and text for an ordinary HTTP/1.1 answer; then nothing is held.
 */
export function openReaderSession(request: UpgradeRequest, host: SessionHost): Promise<UpgradedSession> {
  void [request, host];
  throw new Error("not yet available");
}
