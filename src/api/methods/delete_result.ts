/** What removing groups and namespaces answers (`spec/reader-protocol.md` §9.4). */
import { DozoError } from "../../base/errors.ts";
import type { DeleteStats } from "../../datastore/types.ts";

/** The statistics on the wire. Throws when protected snapshots remained and the caller wants that to be an error. */
export function deleteResult(stats: DeleteStats, errorOnProtected: boolean, what: string) {
  if (errorOnProtected && stats.protectedSnapshots > 0) {
    throw new DozoError(`${what} only partially deleted due to ${stats.protectedSnapshots} protected snapshots`);
  }
  return {
    "removed-groups": stats.removedGroups,
    "removed-snapshots": stats.removedSnapshots,
    "protected-snapshots": stats.protectedSnapshots,
  };
}
