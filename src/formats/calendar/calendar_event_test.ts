import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import {
  type CalendarEvent,
  formatCalendarEvent,
  MAX_CALENDAR_EVENT_LENGTH,
  parseCalendarEvent,
} from "./calendar_event.ts";
import { nextEvent, nextEvents } from "./next_event.ts";
import { DAY, HOUR, MINUTE, MONTH, YEAR } from "./number_list.ts";
import { TimeZone } from "./time_zone.ts";
import { ALL_WEEKDAYS } from "./weekdays.ts";

interface Vectors {
  readonly accepted: { schedule: string; next: Record<string, { unix: number | null }> }[];
  readonly rejected: { schedule: string; error: string }[];
}

const VECTORS: Vectors = JSON.parse(
  Deno.readTextFileSync(new URL("../../../test/vectors/time/calendar.json", import.meta.url)),
);
const UTC = new TimeZone("UTC");
const NEW_YEAR_2030 = Date.UTC(2030, 0, 1) / 1000;

/** `2030-01-01 00:00:00` texts of the next events in UTC. */
function next(schedule: string, count = 1, after = NEW_YEAR_2030): string[] {
  return nextEvents(parseCalendarEvent(schedule), after, count, UTC)
    .map((seconds) => new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " "));
}

function assertEqual(...schedules: string[]): void {
  for (const one of schedules) assert.deepEqual(parseCalendarEvent(one), parseCalendarEvent(schedules[0]), one);
}

function assertRefused(schedule: string): void {
  assert.throws(() => parseCalendarEvent(schedule), FormatError, schedule);
}

Deno.test("CE-05 every schedule a real server takes comes when that server says", () => {
  assert.equal(VECTORS.accepted.length, 95);
  for (const { schedule, next } of VECTORS.accepted) {
    const event = parseCalendarEvent(schedule);
    assert.deepEqual(parseCalendarEvent(formatCalendarEvent(event)), event, schedule);
    for (const [base, { unix }] of Object.entries(next)) {
      // PBS looks for 31 February here, takes it for 2 March, and so leaves out 1 March.
      const expected = schedule === "*-*-*/10" && base === "1961584496" ? Date.UTC(2032, 2, 1) / 1000 : unix;
      assert.equal(nextEvent(event, Number(base), UTC) ?? null, expected, `${schedule} after ${base}`);
    }
  }
});

Deno.test("CE-01 CE-05 CE-17 every schedule a real server refuses is refused with its words", () => {
  assert.equal(VECTORS.rejected.length, 27);
  for (const { schedule, error } of VECTORS.rejected) {
    const reason = error.slice(error.indexOf("unable to parse"));
    assert.throws(() => parseCalendarEvent(schedule), (thrown: Error) => thrown.message === reason, schedule);
  }
});

Deno.test("CE-02 missing weekday and date mean every day, missing time means midnight", () => {
  assert.deepEqual(next("2031-01-01"), ["2031-01-01 00:00:00"]);
  assert.deepEqual(next("12:05", 2), ["2030-01-01 12:05:00", "2030-01-02 12:05:00"]);
  assert.deepEqual(next("wed", 2), ["2030-01-02 00:00:00", "2030-01-09 00:00:00"]);
});

Deno.test("CE-03 weekdays in any case, long or short, with ranges around the end of the week", () => {
  assertEqual("sat", "Sat", "SATURDAY", "sat,sat");
  assertEqual("sat..tue", "sat,sun,mon,tue", "Mon,Tuesday,sat..sun");
  assert.deepEqual(parseCalendarEvent("fri..mon").weekdays, [0, 4, 5, 6]);
  assertRefused("satu");
});

Deno.test("CE-04 values as list, range, repetition and their combination", () => {
  const minutes = (text: string) => parseCalendarEvent(`*:${text}`).minutes;
  assert.deepEqual(minutes("01,02,03"), [1, 2, 3]);
  assert.deepEqual(minutes("01..10"), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  assert.deepEqual(minutes("05/10"), [5, 15, 25, 35, 45, 55]);
  assert.deepEqual(minutes("01,05..07,50/04"), [1, 5, 6, 7, 50, 54, 58]);
  assert.deepEqual(minutes("*").length, 60);
});

Deno.test("CE-06 the keywords", () => {
  assertEqual("minutely", "*-*-* *:*:00");
  assertEqual("hourly", "*-*-* *:00:00");
  assertEqual("daily", "*-*-* 00:00:00");
  assertEqual("weekly", "mon *-*-* 00:00:00");
  assertEqual("monthly", "*-*-01 00:00:00");
  assertEqual("yearly", "annually", "*-01-01 00:00:00");
  assertEqual("quarterly", "*-01,04,07,10-01 00:00:00");
  assertEqual("semiannually", "semi-annually", "*-01,07-01 00:00:00");
  assert.deepEqual(next("quarterly", 4).map((text) => text.slice(0, 10)), [
    "2030-04-01",
    "2030-07-01",
    "2030-10-01",
    "2031-01-01",
  ]);
});

Deno.test("CE-07 CE-08 sets of weekdays", () => {
  assertEqual("mon,tue,wed,thu,fri", "mon..fri");
  assertEqual("sat,sun", "sat..sun");
  assert.deepEqual(parseCalendarEvent("mon,wed,fri").weekdays, [0, 2, 4]);
});

Deno.test("CE-09 CE-10 CE-15 times of every day", () => {
  assert.deepEqual(next("12:05", 2), ["2030-01-01 12:05:00", "2030-01-02 12:05:00"]);
  assertEqual("*:00/5", "0/1:0/5", "*/5");
  assert.deepEqual(next("*:00/5", 2), ["2030-01-01 00:05:00", "2030-01-01 00:10:00"]);
  assertEqual("*:*", "0/1:0/1", "minutely");
});

Deno.test("CE-11 CE-12 CE-13 CE-14 the manual's combinations of days, hours and repetitions", () => {
  assertEqual("mon..wed *:30/10", "mon,tue,wed *:30/10");
  assert.deepEqual(parseCalendarEvent("mon..wed *:30/10").minutes, [30, 40, 50]);
  const busy = parseCalendarEvent("mon..fri 8..17,22:0/15");
  assert.deepEqual([busy.hours, busy.minutes], [[8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 22], [0, 15, 30, 45]]);
  assertEqual("fri 12..13:5/20", "fri 12,13:5/20");
  assert.deepEqual(next("fri 12..13:5/20", 7).map((text) => text.slice(5)), [
    "01-04 12:05:00",
    "01-04 12:25:00",
    "01-04 12:45:00",
    "01-04 13:05:00",
    "01-04 13:25:00",
    "01-04 13:45:00",
    "01-11 12:05:00",
  ]);
  assertEqual("12,14,16,18,20,22:5", "12/2:5");
});

Deno.test("CE-16 dates of the month and single dates", () => {
  assert.deepEqual(next("*-05", 2), ["2030-01-05 00:00:00", "2030-02-05 00:00:00"]);
  assertEqual("Sat *-1..7 15:00", "sat *-*-1..7 15:00");
  assert.deepEqual(next("Sat *-1..7 15:00", 2), ["2030-01-05 15:00:00", "2030-02-02 15:00:00"]);
  assert.deepEqual(next("2015-10-21"), []);
  assert.deepEqual(next("*-*-1,31", 4, Date.UTC(2032, 1, 2) / 1000).map((text) => text.slice(5, 10)), [
    "03-01",
    "03-31",
    "04-01",
    "05-01",
  ]);
});

Deno.test("CE-17 beside systemd's grammar: steps of ranges and UTC are taken, stamps, zones, fractions and ~ are not", () => {
  assert.deepEqual(parseCalendarEvent("*:1..10/4").minutes, [1, 5, 9]);
  assert.equal(parseCalendarEvent("mon 8:00 UTC").utc, true);
  for (const text of ["@1700000000", "8:00 Europe/Vienna", "8:00:01.5", "*-*~1", "2030-02~01", "8:00 utc"]) {
    assertRefused(text);
  }
});

Deno.test("a step of zero means one value, a step beyond the field is refused", () => {
  assert.deepEqual(parseCalendarEvent("*:7/0").minutes, [7]);
  assert.deepEqual(parseCalendarEvent("*:7..9/0").minutes, [7]);
  for (const text of ["*:0/60", "*/60", "0/24:*/60", "*-*/13-1", "*-*-1/32"]) assertRefused(text);
});

const fieldValues = (all: readonly number[]) => fc.subarray([...all], { minLength: 1 });
const anyEvent: fc.Arbitrary<CalendarEvent> = fc.record({
  weekdays: fieldValues(ALL_WEEKDAYS),
  years: fc.oneof(fc.constant([...YEAR.all]), fieldValues(YEAR.all)),
  months: fieldValues(MONTH.all),
  days: fieldValues([0, ...DAY.all]),
  hours: fieldValues(HOUR.all),
  minutes: fieldValues(MINUTE.all),
  seconds: fieldValues(MINUTE.all),
  utc: fc.boolean(),
}, { noNullPrototype: true });

Deno.test("property: a printed event is read back as itself", () => {
  fc.assert(fc.property(anyEvent, (event) => {
    const text = formatCalendarEvent(event);
    fc.pre(text.length <= MAX_CALENDAR_EVENT_LENGTH);
    assert.deepEqual(parseCalendarEvent(text), event);
  }));
});

Deno.test("property: the next event lies ahead, matches every field, and none lies between", () => {
  const moment = fc.integer({ min: 0, max: Date.UTC(2198, 0, 1) / 1000 });
  fc.assert(fc.property(anyEvent, moment, fc.double({ min: 0, max: 1, noNaN: true }), (event, after, share) => {
    const found = nextEvent(event, after, UTC);
    if (found === undefined) return;
    assert.ok(found > after && matches(event, found));
    const between = Math.floor(after + 1 + share * (found - after - 1));
    assert.ok(between === found || !matches(event, between));
  }));
});

function matches(event: CalendarEvent, seconds: number): boolean {
  const date = new Date(seconds * 1000);
  return event.weekdays.includes((date.getUTCDay() + 6) % 7) && event.years.includes(date.getUTCFullYear()) &&
    event.months.includes(date.getUTCMonth() + 1) && event.days.includes(date.getUTCDate()) &&
    event.hours.includes(date.getUTCHours()) && event.minutes.includes(date.getUTCMinutes()) &&
    event.seconds.includes(date.getUTCSeconds());
}

Deno.test("fuzz: any text is an event that prints and comes, or a FormatError", () => {
  const words = [
    "mon",
    "fri..",
    "..",
    ",",
    "*",
    "/",
    "-",
    ":",
    " ",
    "UTC",
    "daily",
    "0",
    "15",
    "2030",
    "99999999999",
    "~",
  ];
  const known = [...VECTORS.accepted, ...VECTORS.rejected].map((row) => row.schedule);
  const mutated = fc.tuple(fc.constantFrom(...known), fc.nat(30), fc.nat(3), fc.constantFrom("", ...words))
    .map(([text, at, remove, insert]) => text.slice(0, at) + insert + text.slice(at + remove));
  const texts = fc.oneof(
    mutated,
    fc.array(fc.constantFrom(...words), { maxLength: 12 }).map((all) => all.join("")),
    fc.string(),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let event: CalendarEvent;
      try {
        event = parseCalendarEvent(text);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
        return;
      }
      assert.deepEqual(parseCalendarEvent(formatCalendarEvent(event)), event);
      const found = nextEvent(event, NEW_YEAR_2030, UTC);
      assert.ok(found === undefined || matches(event, found));
    }),
    { numRuns: 2000 },
  );
  assertRefused("1,".repeat(MAX_CALENDAR_EVENT_LENGTH));
});
