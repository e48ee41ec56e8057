/** The prune simulator: what would be left of the backups of a schedule (`requirements/pbs-operations.md` PR-13). */
import type { CalendarEvent } from "../calendar/calendar_event.ts";
import { nextEvent } from "../calendar/next_event.ts";
import type { TimeZone } from "../calendar/time_zone.ts";
import { type MarkedSnapshot, markSnapshots, type PrunableSnapshot } from "./keep.ts";
import type { KeepOptions } from "./keep_options.ts";

/** Most backups that are simulated: a backup each minute for a week and more. */
export const MAX_SIMULATED = 20_000;

/** Backups at every time of `schedule` in the `weeks` weeks up to `end` (Unix seconds, included), pruned once; newest first. */
export function simulatePrune(
  { schedule, weeks, end, options, zone }: {
    schedule: CalendarEvent;
    weeks: number;
    end: number;
    options: KeepOptions;
    zone: TimeZone;
  },
): MarkedSnapshot<PrunableSnapshot>[] {
  const snapshots: PrunableSnapshot[] = [];
  for (
    let time = nextEvent(schedule, end - weeks * 7 * 86400, zone);
    time !== undefined && time <= end && snapshots.length < MAX_SIMULATED;
    time = nextEvent(schedule, time, zone)
  ) snapshots.push({ time, finished: true, protected: false });
  return markSnapshots(snapshots, options, zone);
}
