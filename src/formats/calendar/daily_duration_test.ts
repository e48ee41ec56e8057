import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { formatDailyDuration, isWithin, parseDailyDuration } from "./daily_duration.ts";
import { TimeZone } from "./time_zone.ts";
import { ALL_WEEKDAYS } from "./weekdays.ts";

Deno.test("daily durations with and without weekdays and minutes", () => {
  assert.deepEqual(parseDailyDuration("mon..fri 8:00-16:00"), { weekdays: [0, 1, 2, 3, 4], start: 480, end: 960 });
  assert.deepEqual(parseDailyDuration("sat,sun 0-23:59"), { weekdays: [5, 6], start: 0, end: 1439 });
  assert.deepEqual(parseDailyDuration("8 -  17"), { weekdays: ALL_WEEKDAYS, start: 480, end: 1020 });
  assert.equal(formatDailyDuration(parseDailyDuration("Sat 10:30-11")), "sat 10:30-11:00");
  const bad = [
    "",
    "8",
    "8-",
    "24-25",
    "8:60-9",
    "16-8",
    "mon",
    "foo 8-9",
    "8-9 mon",
    " 8-9",
    "8-9 ",
    "8:00-24",
    "8-9\n",
  ];
  for (const text of [...bad, " ".repeat(300)]) assert.throws(() => parseDailyDuration(text), FormatError, text);
});

Deno.test("a duration holds from its first minute until before its last, on the wall clock of the zone", () => {
  const duration = parseDailyDuration("mon..fri 8:00-16:00");
  const vienna = new TimeZone("Europe/Vienna");
  const at = (text: string) => isWithin(duration, Date.parse(text) / 1000, vienna);
  assert.equal(at("2026-03-27T06:59:59Z"), false);
  assert.equal(at("2026-03-27T07:00:00Z"), true);
  assert.equal(at("2026-03-27T14:59:59Z"), true);
  assert.equal(at("2026-03-27T15:00:00Z"), false);
  assert.equal(at("2026-03-28T10:00:00Z"), false);
  assert.equal(at("2026-03-30T06:00:00Z"), true);
});

Deno.test("property: a printed duration is read back as itself", () => {
  const duration = fc.record({
    weekdays: fc.subarray([...ALL_WEEKDAYS], { minLength: 1 }),
    start: fc.nat(1439),
    end: fc.nat(1439),
  }, { noNullPrototype: true }).filter(({ start, end }) => start <= end);
  fc.assert(fc.property(duration, (one) => assert.deepEqual(parseDailyDuration(formatDailyDuration(one)), one)));
});

Deno.test("fuzz: any text is a duration or a FormatError", () => {
  const piece = fc.constantFrom("mon", "..", ",", "fri", " ", "8", ":", "30", "-", "17", "24", "99", "\n");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece).map((all) => all.join(""))), (text) => {
    try {
      const { start, end } = parseDailyDuration(text);
      assert.ok(start <= end && end < 1440);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }));
});
