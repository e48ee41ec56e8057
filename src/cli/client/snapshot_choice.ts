/** Which snapshot a reading command is about. */
import { DozoError } from "../../base/errors.ts";
import { formatGroup, parseGroupOrSnapshot } from "../../formats/backup_path.ts";
import { MANIFEST_NAME } from "../../formats/archive_name.ts";
import type { SessionTarget } from "../../protocol/server_address.ts";
import type { Server } from "../../client/server.ts";
import { storePath } from "./common.ts";
import type { SnapshotRecord } from "./records.ts";

/** The snapshot that `path` names, or the latest finished one of the group that it names. Throws {@link DozoError}. */
export async function sessionTarget(server: Server, path: string, ns: string | undefined): Promise<SessionTarget> {
  const { type, id, time } = parseGroupOrSnapshot(path);
  const backupTime = time ?? await latestTime(server, { type, id }, ns);
  return { store: server.repository.datastore, ns, backupType: type, backupId: id, backupTime };
}

async function latestTime(
  server: Server,
  group: { type: SessionTarget["backupType"]; id: string },
  ns: string | undefined,
): Promise<number> {
  const snapshots = await server.get<SnapshotRecord[]>(storePath(server, "snapshots"), {
    ns,
    "backup-type": group.type,
    "backup-id": group.id,
  });
  const times = snapshots
    .filter(({ files }) => files.some(({ filename }) => filename === MANIFEST_NAME))
    .map((snapshot) => snapshot["backup-time"]);
  if (times.length === 0) throw new DozoError(`backup group '${formatGroup(group)}' does not contain any snapshots`);
  return times.reduce((latest, time) => Math.max(latest, time));
}
