/** Daily durations: times of day on some weekdays, `mon..fri 8:00-16:30` (`spec/config-files.md` §9). */
import { FormatError } from "../../base/errors.ts";
import type { TimeZone } from "./time_zone.ts";
import { ALL_WEEKDAYS, formatWeekdays, readWeekdays, weekdayOf } from "./weekdays.ts";

/** From `start` until before `end`, on each of the weekdays. */
export interface DailyDuration {
  /** Ascending, 0 = Monday. */
  readonly weekdays: readonly number[];
  /** Minute of the day, 0 to 1439. */
  readonly start: number;
  /** Minute of the day, not before `start`. */
  readonly end: number;
}

/** Longest text that is parsed, in characters. */
export const MAX_DAILY_DURATION_LENGTH = 256;

const WHAT = "daily duration";
const TIMES = /(\d{1,2})(?::(\d{1,2}))? *- *(\d{1,2})(?::(\d{1,2}))?$/y;

/** Parses a daily duration. Throws {@link FormatError}. */
export function parseDailyDuration(text: string): DailyDuration {
  if (text.length > MAX_DAILY_DURATION_LENGTH) {
    throw new FormatError(`${WHAT} of ${text.length} characters is too long`);
  }
  let at = 0;
  let weekdays = ALL_WEEKDAYS;
  if (/^[a-z]/i.test(text)) {
    ({ days: weekdays, end: at } = readWeekdays(text, 0, WHAT));
    while (text[at] === " ") at++;
  }
  TIMES.lastIndex = at;
  const match = TIMES.exec(text);
  const start = match && minuteOfDay(match[1], match[2]);
  const end = match && minuteOfDay(match[3], match[4]);
  if (start === null || end === null) {
    throw new FormatError(`unable to parse ${WHAT} at '${text.slice(at)}' (expected for example 8:00-16:30)`);
  }
  if (end < start) throw new FormatError(`unable to parse ${WHAT} '${text}': the end is before the start`);
  return { weekdays, start, end };
}

/** The normal text, `mon..fri 08:00-16:30`. */
export function formatDailyDuration({ weekdays, start, end }: DailyDuration): string {
  const days = weekdays.length === ALL_WEEKDAYS.length ? "" : `${formatWeekdays(weekdays)} `;
  return `${days}${timeText(start)}-${timeText(end)}`;
}

/** True when the clock of `zone` is within the duration at `seconds` (Unix time). */
export function isWithin(duration: DailyDuration, seconds: number, zone: TimeZone): boolean {
  const wall = zone.wallClock(seconds);
  const minute = Math.floor(wall / 60) % 1440;
  return duration.weekdays.includes(weekdayOf(wall)) && minute >= duration.start && minute < duration.end;
}

function minuteOfDay(hour: string, minute = "0"): number | null {
  return Number(hour) < 24 && Number(minute) < 60 ? Number(hour) * 60 + Number(minute) : null;
}

function timeText(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}
