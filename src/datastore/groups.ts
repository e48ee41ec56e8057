/** Backup groups of one datastore. */
import { DozoError } from "../base/errors.ts";
import type { DeleteStats, GroupInfo, GroupRef } from "./types.ts";

/** Operations on groups; permission checks are the caller's. */
export class Groups {
  /** Groups of one namespace that hold at least one snapshot, sorted ct < host < vm, numeric ids first. */
  list(_ns: string): Promise<GroupInfo[]> {
    throw new DozoError("not available yet");
  }

  /** References of all groups of a namespace in the same order, also empty ones; cheaper than {@link list}. */
  refs(_ns: string): Promise<GroupRef[]> {
    throw new DozoError("not available yet");
  }

  exists(_group: GroupRef): Promise<boolean> {
    throw new DozoError("not available yet");
  }

  /** Authentication id of the owner. Throws when the owner file is missing or unreadable. */
  owner(_group: GroupRef): Promise<string> {
    throw new DozoError("not available yet");
  }

  /** Replaces the owner under the group lock. */
  setOwner(_group: GroupRef, _owner: string): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Group notes, `""` when there are none. */
  notes(_group: GroupRef): Promise<string> {
    throw new DozoError("not available yet");
  }

  /** Replaces the group notes under the group lock. */
  setNotes(_group: GroupRef, _notes: string): Promise<void> {
    throw new DozoError("not available yet");
  }

  /** Removes a group with all snapshots that are neither protected nor locked. */
  remove(_group: GroupRef): Promise<DeleteStats> {
    throw new DozoError("not available yet");
  }
}
