/** Opening a backup session: all checks in the order of `spec/backup-protocol.md` §3. */
import { DozoError } from "../../base/errors.ts";
import { aclPathOf, checkDepth, checkUpgrade, snapshotOf, upgradeParameters } from "../session/open_checks.ts";
import type { SessionHost, UpgradeRequest } from "../session/types.ts";
import { openParameters } from "./parameters.ts";
import { BACKUP_PROTOCOL, BackupSession } from "./session.ts";

export { BACKUP_PROTOCOL, BackupSession };

/**
 * Runs the checks 2 to 14 for an authenticated caller, takes the locks and makes the snapshot directory. Throws
 * `DozoError` with the status and text for an ordinary HTTP/1.1 answer; then nothing is held.
 */
export async function openBackupSession(request: UpgradeRequest, host: SessionHost): Promise<BackupSession> {
  const parameters = upgradeParameters(openParameters, request);
  const snapshot = snapshotOf(parameters);
  const benchmark = parameters.benchmark ?? false;
  checkDepth(snapshot.ns);
  const path = aclPathOf(parameters.store, snapshot.ns);
  if (!await host.hasPrivilege("Datastore.Backup", path)) {
    throw new DozoError(`missing permissions 'Datastore.Backup' on '/${path.join("/")}'`, { status: 403 });
  }
  const lease = await host.openStore(parameters.store, "write");
  try {
    checkUpgrade(request, BACKUP_PROTOCOL);
    await lease.store.namespaces.check(snapshot.ns);
    checkBenchmark(benchmark, snapshot.type === "host" && snapshot.id === "benchmark");
    const writer = await lease.store.beginBackup({ snapshot, caller: host.caller, benchmark });
    return new BackupSession(lease, writer, { benchmark, peer: request.peer });
  } catch (error) {
    lease.release();
    throw error;
  }
}

function checkBenchmark(benchmark: boolean, isBenchmarkGroup: boolean): void {
  if (benchmark && !isBenchmarkGroup) throw new DozoError("benchmark flags is only allowed on 'host/benchmark'");
  if (!benchmark && isBenchmarkGroup) throw new DozoError("unable to run benchmark without --benchmark flags");
}
