import assert from "node:assert/strict";
import fc from "fast-check";
import { type CalendarEvent, parseCalendarEvent } from "./calendar_event.ts";
import { nextEvent, nextEvents } from "./next_event.ts";
import { ALL_WEEKDAYS, weekdayOf } from "./weekdays.ts";
import { DAY, HOUR, MONTH, YEAR } from "./number_list.ts";
import { TimeZone } from "./time_zone.ts";

const VIENNA = new TimeZone("Europe/Vienna");

/** Events between two local moments, as `HH:MM+OFFSET`. */
function between(schedule: string, from: string, to: string, zone = VIENNA): string[] {
  const event = parseCalendarEvent(schedule);
  const start = Temporal.PlainDateTime.from(from).toZonedDateTime(zone.id).epochMilliseconds / 1000;
  const end = Temporal.PlainDateTime.from(to).toZonedDateTime(zone.id).epochMilliseconds / 1000;
  const times: string[] = [];
  for (let time = nextEvent(event, start - 1, zone); time !== undefined && time < end;) {
    const local = Temporal.Instant.fromEpochMilliseconds(time * 1000).toZonedDateTimeISO(zone.id);
    times.push(local.toString().slice(11, 16) + local.offset.slice(0, 3));
    time = nextEvent(event, time, zone);
  }
  return times;
}

Deno.test("CE-19 a schedule means the wall clock of the zone given, or UTC where it says so", () => {
  const at = (schedule: string, zone: string) =>
    nextEvent(parseCalendarEvent(schedule), 1893456000, new TimeZone(zone));
  assert.equal(at("12:00", "UTC"), 1893456000 + 12 * 3600);
  assert.equal(at("12:00", "Europe/Vienna"), 1893456000 + 11 * 3600);
  assert.equal(at("12:00", "America/New_York"), 1893456000 + 17 * 3600);
  assert.equal(at("12:00", "Asia/Kathmandu"), 1893456000 + 12 * 3600 - 20700);
  assert.equal(at("12:00 UTC", "Asia/Kathmandu"), 1893456000 + 12 * 3600);
});

Deno.test("CE-20 a nightly job runs once in the night when clocks go forward, at the change when its time is skipped", () => {
  const night = ["2026-03-28T12:00", "2026-03-29T12:00"] as const;
  assert.deepEqual(between("02:30", ...night), ["03:00+02"]);
  assert.deepEqual(between("01:30", ...night), ["01:30+01"]);
  assert.deepEqual(between("02:00/20", ...night), ["03:00+02"]);
  assert.deepEqual(between("1..3:30", ...night), ["01:30+01", "03:00+02", "03:30+02"]);
});

Deno.test("CE-20 a nightly job runs once in the night when clocks go back, the first time its time comes", () => {
  const night = ["2026-10-24T12:00", "2026-10-25T12:00"] as const;
  assert.deepEqual(between("02:30", ...night), ["02:30+02"]);
  assert.deepEqual(between("2,3:00", ...night), ["02:00+02", "03:00+01"]);
  const second = Date.UTC(2026, 9, 25, 1, 10) / 1000;
  assert.equal(nextEvent(parseCalendarEvent("02:30"), second, VIENNA), Date.UTC(2026, 9, 26, 1, 30) / 1000);
});

Deno.test("CE-20 a job of every hour keeps its distance when clocks are changed", () => {
  assert.deepEqual(between("*:30", "2026-03-29T00:00", "2026-03-29T04:00"), ["00:30+01", "01:30+01", "03:30+02"]);
  assert.deepEqual(between("hourly", "2026-10-25T01:00", "2026-10-25T04:00"), [
    "01:00+02",
    "02:00+02",
    "02:00+01",
    "03:00+01",
  ]);
});

Deno.test("CE-20 a day that a zone leaves out, half-hour changes and changes at midnight", () => {
  // Samoa had no 30 December 2011: what falls on it comes when the next day begins.
  const apia = new TimeZone("Pacific/Apia");
  const event = parseCalendarEvent("2011-12-30 10:00");
  assert.equal(nextEvent(event, 0, apia), Date.UTC(2011, 11, 30, 10) / 1000);
  assert.deepEqual(between("daily", "2011-12-29T12:00", "2012-01-01T12:00", apia), ["00:00+14", "00:00+14"]);
  const lordHowe = new TimeZone("Australia/Lord_Howe");
  assert.deepEqual(between("01:45", "2026-04-04T12:00", "2026-04-05T12:00", lordHowe), ["01:45+11"]);
  assert.deepEqual(between("02:15", "2026-10-03T12:00", "2026-10-04T12:00", lordHowe), ["02:30+11"]);
  const cairo = new TimeZone("Africa/Cairo");
  assert.deepEqual(between("daily", "2026-04-23T12:00", "2026-04-25T12:00", cairo), ["01:00+03", "00:00+03"]);
  assert.deepEqual(between("daily", "2026-10-29T12:00", "2026-10-31T12:00", cairo), ["00:00+02", "00:00+02"]);
});

/** All minutes of a time at which `event` comes, by looking at every minute. */
function everyMinute(event: CalendarEvent, from: number, to: number, zone: TimeZone): Set<number> {
  const everyHour = event.hours.length === 24;
  const found = new Set<number>();
  const shown = new Set<number>();
  let before: number | undefined;
  for (let now = from - 7200; now < to; now += 60) {
    const local = Temporal.Instant.fromEpochMilliseconds(now * 1000).toZonedDateTimeISO(zone.id);
    const wall = local.toPlainDateTime().toZonedDateTime("UTC").epochMilliseconds / 1000;
    const walls = [wall];
    if (!everyHour && before !== undefined) { for (let gap = before + 60; gap < wall; gap += 60) walls.push(gap); }
    for (const one of walls) {
      const clock = new Date(one * 1000);
      const matches = event.weekdays.includes(weekdayOf(one)) && event.hours.includes(clock.getUTCHours()) &&
        event.minutes.includes(clock.getUTCMinutes());
      if (matches && now >= from && (everyHour || !shown.has(one))) found.add(now);
      shown.add(one);
    }
    before = wall;
  }
  return found;
}

Deno.test("property: around a change of clocks the events are those that looking at every minute finds", () => {
  const changes = [
    { zone: VIENNA, from: Date.UTC(2026, 2, 28, 22) / 1000 },
    { zone: VIENNA, from: Date.UTC(2026, 9, 24, 22) / 1000 },
    { zone: new TimeZone("Australia/Lord_Howe"), from: Date.UTC(2026, 3, 4, 12) / 1000 },
    { zone: new TimeZone("Australia/Lord_Howe"), from: Date.UTC(2026, 9, 3, 12) / 1000 },
  ];
  const hours = fc.oneof(fc.constant([...HOUR.all]), fc.subarray([...HOUR.all], { minLength: 1 }));
  const minutes = fc.uniqueArray(fc.nat(59), { minLength: 1, maxLength: 3 }).map((all) => all.sort((a, b) => a - b));
  const weekdays = fc.subarray([...ALL_WEEKDAYS], { minLength: 3 });
  fc.assert(
    fc.property(fc.constantFrom(...changes), weekdays, hours, minutes, ({ zone, from }, weekdays, hours, minutes) => {
      const dates = { years: YEAR.all, months: MONTH.all, days: DAY.all };
      const event = { ...dates, weekdays, hours, minutes, seconds: [0], utc: false };
      const to = from + 12 * 3600;
      const expected = [...everyMinute(event, from, to, zone)];
      const found = nextEvents(event, from - 1, expected.length + 1, zone).filter((time) => time < to);
      assert.deepEqual(found, expected);
      for (const start of [from + 4321, from + 9876]) {
        assert.equal(
          nextEvents(event, start, 1, zone).find((time) => time < to),
          expected.find((time) => time > start),
        );
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("an event that never comes is found out at once", () => {
  const start = performance.now();
  for (const never of ["*-02-30", "*-*-0", "2031-*-31 UTC", "sat 2100-02-29", "mon 2199-12-31"]) {
    const last = never.startsWith("2031") ? Date.UTC(2032, 0, 1) / 1000 : 1893456000;
    assert.equal(nextEvent(parseCalendarEvent(never), last, VIENNA), undefined, never);
  }
  assert.ok(performance.now() - start < 1000);
});
