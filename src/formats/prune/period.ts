/** The calendar periods of prune options (`spec/config-files.md` §10). */
import type { TimeZone } from "../calendar/time_zone.ts";
import type { KeepOption } from "./keep_options.ts";

/** Numbers that are equal for times (Unix seconds) of the same period on the wall clock of `zone`. */
export const PERIODS: Readonly<Record<KeepOption, (seconds: number, zone: TimeZone) => number>> = {
  "keep-last": (seconds) => seconds,
  "keep-hourly": (seconds, zone) => Math.floor(zone.wallClock(seconds) / 3600),
  "keep-daily": dayNumber,
  // Day 0 was a Thursday; ISO weeks begin with Monday and do not break at the end of a year.
  "keep-weekly": (seconds, zone) => Math.floor((dayNumber(seconds, zone) + 3) / 7),
  "keep-monthly": (seconds, zone) => {
    const date = new Date(zone.wallClock(seconds) * 1000);
    return date.getUTCFullYear() * 12 + date.getUTCMonth();
  },
  "keep-yearly": (seconds, zone) => new Date(zone.wallClock(seconds) * 1000).getUTCFullYear(),
};

function dayNumber(seconds: number, zone: TimeZone): number {
  return Math.floor(zone.wallClock(seconds) / 86400);
}
