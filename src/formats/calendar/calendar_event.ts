/** Calendar events, the schedules of jobs: `mon..fri 8..17:0/15`, `*-*-01 04:00`, `daily` (`spec/config-files.md` §7). */
import { FormatError } from "../../base/errors.ts";
import {
  DAY,
  type Field,
  formatNumberList,
  HOUR,
  MINUTE,
  MONTH,
  type NumberList,
  readNumberList,
  YEAR,
} from "./number_list.ts";
import { ALL_WEEKDAYS, formatWeekdays, readWeekdays } from "./weekdays.ts";

/** A parsed event: it comes whenever every field has the value of the clock. All lists are ascending and not empty. */
export interface CalendarEvent {
  /** 0 = Monday. */
  readonly weekdays: readonly number[];
  readonly years: readonly number[];
  readonly months: readonly number[];
  readonly days: readonly number[];
  readonly hours: readonly number[];
  readonly minutes: readonly number[];
  readonly seconds: readonly number[];
  /** True when the fields mean UTC instead of local time. */
  readonly utc: boolean;
}

/** Longest text that is parsed, in characters. */
export const MAX_CALENDAR_EVENT_LENGTH = 1024;

const KEYWORDS: Readonly<Record<string, string>> = {
  "minutely": "*:*:00",
  "hourly": "*:00:00",
  "daily": "00:00:00",
  "weekly": "mon 00:00:00",
  "monthly": "*-*-01 00:00:00",
  "quarterly": "*-01,04,07,10-01 00:00:00",
  "semiannually": "*-01,07-01 00:00:00",
  "semi-annually": "*-01,07-01 00:00:00",
  "yearly": "*-01-01 00:00:00",
  "annually": "*-01-01 00:00:00",
};

const WHAT = "calendar event";
const DATE_OR_TIME = 'Context("date or time specification")';

/** Parses an event. Throws {@link FormatError} with the text that PBS reports: where it stopped and what it expected. */
export function parseCalendarEvent(text: string): CalendarEvent {
  if (text.length > MAX_CALENDAR_EVENT_LENGTH) {
    throw new FormatError(`${WHAT} of ${text.length} characters is too long (limit ${MAX_CALENDAR_EVENT_LENGTH})`);
  }
  const zoned = /^(.*?) *UTC$/s.exec(text);
  const keyword = zoned ? zoned[1] : text;
  if (Object.hasOwn(KEYWORDS, keyword)) return { ...parseParts(KEYWORDS[keyword]), utc: zoned !== null };
  return parseParts(text);
}

/** A text for an event, which {@link parseCalendarEvent} reads back as the same: `mon..fri *-*-* 02:30:00`. */
export function formatCalendarEvent(event: CalendarEvent): string {
  const weekdays = event.weekdays.length === ALL_WEEKDAYS.length ? "" : `${formatWeekdays(event.weekdays)} `;
  const date = joined("-", [event.years, YEAR], [event.months, MONTH], [event.days, DAY]);
  const time = joined(":", [event.hours, HOUR], [event.minutes, MINUTE], [event.seconds, MINUTE]);
  return `${weekdays}${date} ${time}${event.utc ? " UTC" : ""}`;
}

function parseParts(text: string): CalendarEvent {
  let at = 0;
  let weekdays = ALL_WEEKDAYS;
  if (/^[a-z]/i.test(text)) {
    ({ days: weekdays, end: at } = readWeekdays(text, 0, WHAT));
  } else if (!/^[\d*]/.test(text)) {
    throw failed(text, DATE_OR_TIME);
  }
  const date = readDate(text, skipBlanks(text, at));
  if (date) at = date.end;
  const time = readTime(text, skipBlanks(text, at));
  if (time) at = time.end;
  const rest = text.slice(skipBlanks(text, at));
  if (!date && !time && /^[\d*]/.test(rest)) throw failed(rest, DATE_OR_TIME);
  const utc = rest === "UTC";
  // Blanks behind a date belong to it, others to what they stand before.
  if (!utc && at < text.length) throw failed(date && !time && rest !== "" ? rest : text.slice(at), "Nom(Eof)");
  return {
    weekdays,
    years: date?.years ?? YEAR.all,
    months: date?.months ?? MONTH.all,
    days: date?.days ?? DAY.all,
    hours: time?.hours ?? [0],
    minutes: time?.minutes ?? [0],
    seconds: time?.seconds ?? [0],
    utc,
  };
}

type DateFields = Pick<CalendarEvent, "years" | "months" | "days"> & { readonly end: number };
type TimeFields = Pick<CalendarEvent, "hours" | "minutes" | "seconds"> & { readonly end: number };

/** `year-month-day` or `month-day`. */
function readDate(text: string, at: number): DateFields | undefined {
  const year = readNumberList(text, at, YEAR);
  const month = year && readBehind(text, year, "-", MONTH);
  const day = month && readBehind(text, month, "-", DAY);
  if (day) return { years: year.values, months: month.values, days: day.values, end: day.end };
  const onlyMonth = readNumberList(text, at, MONTH);
  const dayOfMonth = onlyMonth && readBehind(text, onlyMonth, "-", DAY);
  return dayOfMonth && { years: YEAR.all, months: onlyMonth.values, days: dayOfMonth.values, end: dayOfMonth.end };
}

/** `hour:minute[:second]`; `minute:second` where the first list names no hours; `minute` of every hour. */
function readTime(text: string, at: number): TimeFields | undefined {
  const hour = readNumberList(text, at, HOUR);
  if (hour && text[hour.end] === ":") {
    const minute = readBehind(text, hour, ":", MINUTE);
    if (!minute) return undefined;
    const second = readBehind(text, minute, ":", MINUTE);
    const { values: seconds, end } = second ?? { values: [0], end: minute.end };
    return { hours: hour.values, minutes: minute.values, seconds, end };
  }
  const minute = readNumberList(text, at, MINUTE);
  if (!minute) return undefined;
  if (text[minute.end] !== ":") return { hours: HOUR.all, minutes: minute.values, seconds: [0], end: minute.end };
  const second = readBehind(text, minute, ":", MINUTE);
  return second && { hours: HOUR.all, minutes: minute.values, seconds: second.values, end: second.end };
}

function readBehind(text: string, list: NumberList, separator: string, field: Field): NumberList | undefined {
  return text[list.end] === separator ? readNumberList(text, list.end + 1, field) : undefined;
}

function skipBlanks(text: string, at: number): number {
  while (text[at] === " ") at++;
  return at;
}

function failed(rest: string, expected: string): FormatError {
  return new FormatError(`unable to parse ${WHAT} at '${rest}' - ${expected}`);
}

function joined(separator: string, ...fields: [readonly number[], Field][]): string {
  return fields.map(([values, field]) => formatNumberList(values, field)).join(separator);
}
