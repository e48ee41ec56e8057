/**
 * Where sessions deliberately answer otherwise than PBS 4.2.3 did in the recordings of `test/vectors/wire`, and why. The
 * replay test reads it; `docs/COMPATIBILITY.md` repeats it for people.
 */
export interface WireDeviation {
  /** Scenario of the recording. */
  readonly session: string;
  /** Step, or the moment of a look at the disk. */
  readonly at: number | string;
  /** What is answered instead (status), where that differs. */
  readonly status?: number;
  /** Files (last path component) that PBS had at that moment and dozo has not. */
  readonly withoutFiles?: readonly string[];
  readonly reason: string;
}

const IN_MEMORY = "an index under construction is kept in memory, so a killed server leaves no temporary index files";
const LATE_BLOB = "a finished snapshot takes no more files: its manifest does not know them";

export const WIRE_DEVIATIONS: readonly WireDeviation[] = [
  {
    session: "errors",
    at: "two open writers (a size-less writer is also open)",
    withoutFiles: ["drive.img.tmp_fidx", "root.pxar.tmp_didx"],
    reason: IN_MEMORY,
  },
  {
    session: "errors",
    at: "after failed closes",
    withoutFiles: ["dup.img.tmp_fidx", "part.img.tmp_fidx", "x.pxar.didx"],
    reason: `${IN_MEMORY}; and an index whose checksum is wrong never gets its final name`,
  },
  { session: "abort", at: "before the connection is dropped", withoutFiles: ["r.tmp_didx"], reason: IN_MEMORY },
  { session: "full", at: 16, status: 400, reason: LATE_BLOB },
  { session: "full", at: "connection closed", withoutFiles: ["late.blob"], reason: LATE_BLOB },
  { session: "incremental", at: "finished", withoutFiles: ["late.blob"], reason: LATE_BLOB },
  {
    session: "leftover directory",
    at: 0,
    status: 101,
    reason:
      "a directory without manifest and lock is what a killed server left: it is removed, so that a sync job can send that snapshot again",
  },
];
