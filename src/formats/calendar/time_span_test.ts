import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { formatTimeSpan, MAX_TIME_SPAN_LENGTH, parseTimeSpan, timeSpanSeconds } from "./time_span.ts";

Deno.test("time spans add up their units, with every name of a unit", () => {
  const cases: [string, number, string][] = [
    ["1h 30m", 5400, "1h 30m"],
    ["2 weeks", 14 * 86400, "2w"],
    ["2weeks 1d 3h", 15 * 86400 + 3 * 3600, "2w 1d 3h"],
    ["90", 90, "90s"],
    ["1M", 30.44 * 86400, "1M"],
    ["1m", 60, "1m"],
    ["1 year 2 months", 365.25 * 86400 + 2 * 30.44 * 86400, "1y 2M"],
    ["5s3min5s", 190, "3m 10s"],
    ["1500ms", 1.5, "1500ms"],
    ["7µs", 7e-6, "7us"],
    ["3 nsec 2 us", 2.003e-6, "2us 3ns"],
    ["1 hr 1 min 1 sec", 3661, "1h 1m 1s"],
    ["0", 0, "0s"],
  ];
  for (const [text, seconds, normal] of cases) {
    const span = parseTimeSpan(text);
    assert.ok(Math.abs(timeSpanSeconds(span) - seconds) < 1e-9, text);
    assert.equal(formatTimeSpan(span), normal);
    if (seconds > 0) assert.deepEqual(parseTimeSpan(normal), span);
  }
});

Deno.test("what is no time span is refused with the reason PBS gives", () => {
  assert.throws(() => parseTimeSpan("nope"), /^FormatError: unable to parse time span at 'nope' - Nom\(Digit\)$/);
  const bad = ["", " 1h", "1x", "1H", "-1", "1.5h", "h", "1h h", "9".repeat(20), "9".repeat(MAX_TIME_SPAN_LENGTH + 1)];
  for (const text of bad) assert.throws(() => parseTimeSpan(text), FormatError, text);
});

Deno.test("property: a printed span is read back as itself", () => {
  const count = fc.integer({ min: 1, max: 2 ** 40 });
  const units = [
    "years",
    "months",
    "weeks",
    "days",
    "hours",
    "minutes",
    "seconds",
    "milliseconds",
    "nanoseconds",
  ] as const;
  const span = fc.dictionary(fc.constantFrom(...units), count, { minKeys: 1, noNullPrototype: true });
  fc.assert(fc.property(span, (span) => assert.deepEqual(parseTimeSpan(formatTimeSpan(span)), span)));
});

Deno.test("fuzz: any text is a span or a FormatError", () => {
  const piece = fc.constantFrom("1", "20", " ", "h", "min", "M", "µs", "µ", "-", ".", "\n", "constructor", "99999999");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece).map((all) => all.join(""))), (text) => {
    try {
      assert.ok(timeSpanSeconds(parseTimeSpan(text)) >= 0);
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }));
});
