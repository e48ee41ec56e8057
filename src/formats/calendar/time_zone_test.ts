import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { TimeZone } from "./time_zone.ts";

Deno.test("property: the wall clock is the one of the runtime's calendar, in any order of asking", () => {
  for (const id of ["UTC", "Europe/Vienna", "America/St_Johns", "Australia/Lord_Howe", "Pacific/Apia"]) {
    const zone = new TimeZone(id);
    fc.assert(fc.property(fc.integer({ min: -1e9, max: 7e9 }), (seconds) => {
      const local = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO(id);
      const expected = local.toPlainDateTime().toZonedDateTime("UTC").epochMilliseconds / 1000;
      assert.equal(zone.wallClock(seconds), expected);
    }));
  }
});

Deno.test("a stretch begins and ends with the second of a change", () => {
  const zone = new TimeZone("Europe/Vienna");
  const spring = Date.UTC(2026, 2, 29, 1) / 1000;
  const autumn = Date.UTC(2026, 9, 25, 1) / 1000;
  for (const seconds of [spring, spring + 1, autumn - 1]) {
    assert.deepEqual(zone.stretchAt(seconds), { from: spring, to: autumn, offset: 7200 });
  }
  assert.deepEqual([zone.stretchAt(spring - 1).to, zone.stretchAt(spring - 1).offset], [spring, 3600]);
  assert.deepEqual(new TimeZone("UTC").stretchAt(0), { from: -Infinity, to: Infinity, offset: 0 });
});

Deno.test("an unknown zone and a time beyond the calendar are refused", () => {
  assert.throws(() => new TimeZone("Nowhere/At_All"), FormatError);
  assert.throws(() => new TimeZone("Europe/Vienna").wallClock(1e15), FormatError);
  assert.throws(() => new TimeZone("Europe/Vienna").wallClock(NaN), FormatError);
});
