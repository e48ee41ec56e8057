/** Opening a reader session: all checks in the order of `spec/reader-protocol.md` §1.2. */
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { backupId, backupTime, backupType, bool, namespace, storeName } from "../../config/schema/mod.ts";
import { isOwner } from "../../datastore/group_owner.ts";
import { formatGroup, formatSnapshot } from "../../formats/backup_path.ts";
import { aclPathOf, checkDepth, checkUpgrade, snapshotOf, upgradeParameters } from "../session/open_checks.ts";
import type { SessionHost, UpgradeRequest } from "../session/types.ts";
import { READER_PROTOCOL, ReaderSession } from "./session.ts";

export { READER_PROTOCOL, ReaderSession };

const openParameters = z.object({
  "store": storeName(),
  "ns": namespace().optional(),
  "backup-type": backupType(),
  "backup-id": backupId(),
  "backup-time": backupTime(),
  "debug": bool().optional(),
});

/**
 * Runs the checks 2 to 8 for an authenticated caller and takes the shared snapshot lock. Throws `DozoError` with the
 * status and text for an ordinary HTTP/1.1 answer; then nothing is held.
 */
export async function openReaderSession(request: UpgradeRequest, host: SessionHost): Promise<ReaderSession> {
  const parameters = upgradeParameters(openParameters, request);
  const snapshot = snapshotOf(parameters);
  checkDepth(snapshot.ns);
  const path = aclPathOf(parameters.store, snapshot.ns);
  const mayRead = await host.hasPrivilege("Datastore.Read", path);
  if (!mayRead && !await host.hasPrivilege("Datastore.Backup", path)) {
    throw new DozoError(`no permissions on /${path.join("/")}`);
  }
  const lease = await host.openStore(parameters.store, "read");
  try {
    checkUpgrade(request, READER_PROTOCOL);
    if (!mayRead) {
      const owner = await lease.store.groups.owner(snapshot);
      if (!isOwner(owner, host.caller)) {
        throw new DozoError(
          `${host.caller} does not own the backup group ${formatGroup(snapshot)} of ${formatSnapshot(snapshot)}`,
        );
      }
    }
    return new ReaderSession(lease, await lease.store.snapshots.open(snapshot), host.unauthorizedDelay);
  } catch (error) {
    lease.release();
    throw error;
  }
}
