/** Time spans: `1h 30m`, `2 weeks`, `90` (`spec/config-files.md` §8). */
import { FormatError } from "../../base/errors.ts";

/** Longest text that is parsed, in characters. */
export const MAX_TIME_SPAN_LENGTH = 256;

/** Units from large to small: seconds of one, the name that is printed, all names that are read. */
const UNITS = [
  { unit: "years", seconds: 365.25 * 86400, names: ["y", "year", "years"] },
  { unit: "months", seconds: 30.44 * 86400, names: ["M", "month", "months"] },
  { unit: "weeks", seconds: 7 * 86400, names: ["w", "week", "weeks"] },
  { unit: "days", seconds: 86400, names: ["d", "day", "days"] },
  { unit: "hours", seconds: 3600, names: ["h", "hr", "hour", "hours"] },
  { unit: "minutes", seconds: 60, names: ["m", "min", "minute", "minutes"] },
  { unit: "seconds", seconds: 1, names: ["s", "sec", "second", "seconds"] },
  { unit: "milliseconds", seconds: 1e-3, names: ["ms", "msec"] },
  // The micro sign and the Greek letter look the same.
  { unit: "microseconds", seconds: 1e-6, names: ["us", "usec", "\u00b5s", "\u03bcs"] },
  { unit: "nanoseconds", seconds: 1e-9, names: ["ns", "nsec"] },
] as const;

/** The names of the units. */
export type TimeUnit = typeof UNITS[number]["unit"];

/** How many of each unit, not carried over (`90m` stays 90 minutes); absent means 0. */
export type TimeSpan = { readonly [unit in TimeUnit]?: number };

/** Parses a span; a repeated unit adds up. Throws {@link FormatError}. */
export function parseTimeSpan(text: string): TimeSpan {
  if (text.length > MAX_TIME_SPAN_LENGTH) throw new FormatError(`time span of ${text.length} characters is too long`);
  const span: { [unit in TimeUnit]?: number } = {};
  const item = /(\d+)\s*([A-Za-z\u00b5\u03bc]*)\s*/y;
  let at = 0;
  do {
    item.lastIndex = at;
    const match = item.exec(text);
    if (!match) throw failed(text.slice(at), "Nom(Digit)");
    const [all, digits, name] = match;
    const unit = name === "" ? "seconds" : UNITS.find(({ names }) => (names as readonly string[]).includes(name))?.unit;
    if (unit === undefined) throw failed(name, 'Context("time unit")');
    const sum = (span[unit] ?? 0) + Number(digits);
    if (!Number.isSafeInteger(sum)) throw new FormatError(`time span '${text}' is too long`);
    span[unit] = sum;
    at += all.length;
  } while (at < text.length);
  return span;
}

/** The normal text: large units first, `1w 2d 30m`; `0s` for nothing. */
export function formatTimeSpan(span: TimeSpan): string {
  const items = UNITS.filter(({ unit }) => (span[unit] ?? 0) > 0).map(({ unit, names }) => `${span[unit]}${names[0]}`);
  return items.length === 0 ? "0s" : items.join(" ");
}

/** Length in seconds, with fraction; a month has 30.44 days and a year 365.25. */
export function timeSpanSeconds(span: TimeSpan): number {
  return UNITS.reduce((sum, { unit, seconds }) => sum + (span[unit] ?? 0) * seconds, 0);
}

function failed(rest: string, expected: string): FormatError {
  return new FormatError(`unable to parse time span at '${rest}' - ${expected}`);
}
