/** Lists of weekdays: `mon..fri,sun` (`spec/config-files.md` §7). Days count from 0 = Monday to 6 = Sunday. */
import { FormatError } from "../../base/errors.ts";

/** Every day. */
export const ALL_WEEKDAYS: readonly number[] = [0, 1, 2, 3, 4, 5, 6];

const NAMES = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/**
 * Reads a list at `at`, where a letter stands. Returns its days in ascending order and where it ends; separators that no
 * day follows are left. Throws {@link FormatError} carrying the word that is no day; `what` is what is being parsed.
 */
export function readWeekdays(text: string, at: number, what: string): { days: readonly number[]; end: number } {
  const days = new Set<number>();
  for (;;) {
    const first = readDay(text, at, what);
    at = first.end;
    let last = first.day;
    if (isDayBehind(text, at, "..")) ({ day: last, end: at } = readDay(text, at + 2, what));
    for (let day = first.day;; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
    if (!isDayBehind(text, at, ",")) return { days: [...days].sort(), end: at };
    at++;
  }
}

/** The shortest text: `mon..fri,sun`. Only runs of three or more days become ranges. */
export function formatWeekdays(days: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < days.length;) {
    let run = 1;
    while (days[i + run] === days[i] + run) run++;
    if (run < 3) run = 1;
    parts.push(run === 1 ? shortName(days[i]) : `${shortName(days[i])}..${shortName(days[i + run - 1])}`);
    i += run;
  }
  return parts.join(",");
}

/** Weekday of a wall-clock time (see `TimeZone.wallClock`), or of a day number times 86400. */
export function weekdayOf(wallClock: number): number {
  // 1970-01-01 was a Thursday.
  return ((Math.floor(wallClock / 86400) + 3) % 7 + 7) % 7;
}

function shortName(day: number): string {
  return NAMES[day].slice(0, 3);
}

function isDayBehind(text: string, at: number, separator: string): boolean {
  return text.startsWith(separator, at) && /^[a-z]$/i.test(text.charAt(at + separator.length));
}

function readDay(text: string, at: number, what: string): { day: number; end: number } {
  const pattern = /[a-z]+/iy;
  pattern.lastIndex = at;
  const word = pattern.exec(text)![0];
  const lower = word.toLowerCase();
  const day = NAMES.findIndex((name) => name === lower || name.slice(0, 3) === lower);
  if (day < 0) throw new FormatError(`unable to parse ${what} at '${word}' - Context("weekday")`);
  return { day, end: at + word.length };
}
