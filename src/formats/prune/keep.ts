/** Which snapshots of a group are kept (`spec/config-files.md` §10 "Prune options and algorithm"). */
import type { TimeZone } from "../calendar/time_zone.ts";
import { KEEP_OPTIONS, type KeepOption, type KeepOptions, keepsEverything } from "./keep_options.ts";
import { PERIODS } from "./period.ts";

/** What the decision depends on. */
export interface PrunableSnapshot {
  /** Unix seconds, different for each snapshot of a group. */
  readonly time: number;
  /** False while there is no manifest. */
  readonly finished: boolean;
  readonly protected: boolean;
}

/** `keep-partial` is the newest snapshot, unfinished: most likely it is being written. */
export type PruneMark = "keep" | "keep-partial" | "protected" | "remove";

/** The decision about one snapshot. */
export interface MarkedSnapshot<T> {
  readonly snapshot: T;
  readonly mark: PruneMark;
  /** The option that keeps it; absent for other marks and when no option is set. */
  readonly option?: KeepOption;
}

/**
 * Marks all snapshots of one group, newest first. Periods are those of the wall clock of `zone`. Protected snapshots neither
 * count nor cover a period; a snapshot that one option removes is not kept by a later one.
 */
export function markSnapshots<T extends PrunableSnapshot>(
  snapshots: readonly T[],
  options: KeepOptions,
  zone: TimeZone,
): MarkedSnapshot<T>[] {
  const newestFirst = [...snapshots].sort((a, b) => b.time - a.time);
  if (keepsEverything(options)) {
    return newestFirst.map((snapshot) => ({ snapshot, mark: snapshot.protected ? "protected" : "keep" }));
  }
  const marks = new Map<T, { mark: PruneMark; option?: KeepOption }>();
  newestFirst.forEach((snapshot, index) => {
    if (!snapshot.finished) marks.set(snapshot, { mark: index === 0 ? "keep-partial" : "remove" });
  });
  for (const option of KEEP_OPTIONS) {
    const count = options[option];
    if (count !== undefined) applyOption(newestFirst, marks, option, count, zone);
  }
  return newestFirst.map((snapshot) => ({
    snapshot,
    ...(snapshot.protected ? { mark: "protected" as const } : marks.get(snapshot) ?? { mark: "remove" as const }),
  }));
}

/** True when the snapshot stays. */
export function isKept(marked: MarkedSnapshot<unknown>): boolean {
  return marked.mark !== "remove";
}

function applyOption<T extends PrunableSnapshot>(
  newestFirst: readonly T[],
  marks: Map<T, { mark: PruneMark; option?: KeepOption }>,
  option: KeepOption,
  count: number,
  zone: TimeZone,
): void {
  const periodOf = (snapshot: T) => PERIODS[option](snapshot.time, zone);
  const covered = new Set<number>();
  for (const [snapshot, { mark }] of marks) if (mark === "keep") covered.add(periodOf(snapshot));
  const selected = new Set<number>();
  for (const snapshot of newestFirst) {
    if (marks.has(snapshot) || snapshot.protected) continue;
    const period = periodOf(snapshot);
    // One that an earlier option covers stays for the later ones.
    if (covered.has(period)) continue;
    if (selected.has(period)) {
      marks.set(snapshot, { mark: "remove" });
      continue;
    }
    if (selected.size === count) break;
    selected.add(period);
    marks.set(snapshot, { mark: "keep", option });
  }
}
