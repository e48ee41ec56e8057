/** Namespaces of one datastore (`spec/datastore-layout.md` §2.2, `spec/reader-protocol.md` §7.2). Paths like `a/b`, `""` is the root. */
import { DozoError } from "../base/errors.ts";
import type { DeleteStats } from "./types.ts";

/** Operations on namespaces; permission checks are the caller's. */
export class Namespaces {
  /** Whether the namespace exists (the root always does). */
  exists(_ns: string): Promise<boolean> {
    throw new DozoError("not available yet");
  }

  /** `parent` itself and the namespaces below it, depth first, at most `maxDepth` levels (default: all). 404 when missing. */
  list(_parent: string, _maxDepth?: number): Promise<string[]> {
    throw new DozoError("not available yet");
  }

  /** Creates `parent/name` and returns its path; an existing one is fine. The parent must exist. */
  create(_parent: string, _name: string): Promise<string> {
    throw new DozoError("not available yet");
  }

  /** Removes a namespace: only empty ones, or with `deleteGroups` all groups and namespaces below. Protected snapshots stay. */
  remove(_ns: string, _options: { deleteGroups: boolean }): Promise<DeleteStats> {
    throw new DozoError("not available yet");
  }
}
