/** When a calendar event comes next (`spec/config-files.md` §7 "Evaluation"). Times are whole Unix seconds. */
import type { CalendarEvent } from "./calendar_event.ts";
import { HOUR } from "./number_list.ts";
import { TimeZone } from "./time_zone.ts";
import { weekdayOf } from "./weekdays.ts";

const DAY_SECONDS = 86400;
const UTC = new TimeZone("UTC");

/**
 * The first second after `after` at which the event comes; undefined when it never does again (last year: 2199).
 *
 * Where clocks are changed, an event that names its hours keeps to the wall clock and comes exactly once: a time that is
 * skipped comes with the change, a time that is repeated comes the first time only. An event of every hour keeps to the
 * time that passes: nothing comes for skipped times, and repeated ones come twice.
 */
export function nextEvent(event: CalendarEvent, after: number, zone: TimeZone): number | undefined {
  if (event.utc) zone = UTC;
  const everyHour = event.hours.length === HOUR.all.length;
  let now = Math.floor(after) + 1;
  for (;;) {
    const { from, to, offset } = zone.stretchAt(now);
    // Wall clock up to which the stretch before has been, and from which this one can have new events.
    const shownBefore = everyHour || from === -Infinity ? -Infinity : from + zone.stretchAt(from - 1).offset;
    const wall = nextOnWall(event, Math.max(now + offset, shownBefore));
    if (wall !== undefined && wall - offset < to) return wall - offset;
    if (to === Infinity || (wall === undefined && to - now > DAY_SECONDS)) return undefined;
    const skippedTo = to + zone.stretchAt(to).offset;
    if (!everyHour && wall !== undefined && wall < skippedTo) return to;
    now = to;
  }
}

/** The next `count` times after `after`, ascending; fewer when the event ends. */
export function nextEvents(event: CalendarEvent, after: number, count: number, zone: TimeZone): number[] {
  const times: number[] = [];
  for (let time = nextEvent(event, after, zone); time !== undefined && times.length < count;) {
    times.push(time);
    time = nextEvent(event, time, zone);
  }
  return times;
}

/** The first matching wall-clock time at or after `wall`. */
function nextOnWall(event: CalendarEvent, wall: number): number | undefined {
  const today = Math.floor(wall / DAY_SECONDS) * DAY_SECONDS;
  const date = nextDate(event, today);
  if (date === undefined) return undefined;
  const time = nextTimeOfDay(event, date > today ? 0 : wall - today);
  if (time !== undefined) return date + time;
  const later = nextDate(event, today + DAY_SECONDS);
  return later === undefined ? undefined : later + nextTimeOfDay(event, 0)!;
}

/** Midnight of the first matching day at or after the midnight `from`. */
function nextDate(event: CalendarEvent, from: number): number | undefined {
  const firstYear = new Date(from * 1000).getUTCFullYear();
  for (const year of event.years) {
    if (year < firstYear) continue;
    for (const month of event.months) {
      const start = midnight(year, month - 1, 1);
      const end = midnight(year, month, 1);
      if (end <= from) continue;
      for (const day of event.days) {
        const date = start + (day - 1) * DAY_SECONDS;
        if (day > 0 && date >= from && date < end && event.weekdays.includes(weekdayOf(date))) return date;
      }
    }
  }
  return undefined;
}

/** The first matching second of the day at or after `from`. */
function nextTimeOfDay(event: CalendarEvent, from: number): number | undefined {
  for (const hour of event.hours) {
    if ((hour + 1) * 3600 <= from) continue;
    for (const minute of event.minutes) {
      const start = hour * 3600 + minute * 60;
      if (start + 60 <= from) continue;
      const second = event.seconds.find((second) => start + second >= from);
      if (second !== undefined) return start + second;
    }
  }
  return undefined;
}

/** `month` counts from 0; the one behind December is January of the next year. */
function midnight(year: number, month: number, day: number): number {
  const date = new Date(0);
  // Date.UTC takes years below 100 for 19xx.
  date.setUTCFullYear(year, month, day);
  return date.getTime() / 1000;
}
