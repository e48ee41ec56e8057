import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { parseCalendarEvent } from "../calendar/calendar_event.ts";
import { TimeZone } from "../calendar/time_zone.ts";
import { isKept, type MarkedSnapshot, markSnapshots, type PrunableSnapshot } from "./keep.ts";
import {
  formatKeepOptions,
  KEEP_OPTIONS,
  type KeepOptions,
  keepsEverything,
  parseKeepOptions,
} from "./keep_options.ts";
import { MAX_SIMULATED, simulatePrune } from "./simulate.ts";

interface Vectors {
  readonly snapshots: { "backup-time": number; protected: boolean }[];
  readonly cases: { options: KeepOptions; keep: number[]; protected: number[]; remove: number[] }[];
}

const UTC = new TimeZone("UTC");
const VECTORS: Vectors = JSON.parse(
  Deno.readTextFileSync(new URL("../../../test/vectors/time/prune.json", import.meta.url)),
);

function snapshot(time: string | number, flags: Partial<PrunableSnapshot> = {}): PrunableSnapshot {
  const seconds = typeof time === "number" ? time : Date.parse(`${time}Z`) / 1000;
  return { time: seconds, finished: true, protected: false, ...flags };
}

/** Times with `mark`, oldest first. */
function timesOf(marked: MarkedSnapshot<PrunableSnapshot>[], mark: string): number[] {
  return marked.filter((one) => one.mark === mark).map((one) => one.snapshot.time).sort((a, b) => a - b);
}

/** Texts `MM-DD HH:MM` of what is kept of finished snapshots at the given times, newest first. */
function kept(times: string[], options: KeepOptions, zone = UTC): string[] {
  return markSnapshots(times.map((time) => snapshot(time)), options, zone).filter(isKept)
    .map((one) => new Date(one.snapshot.time * 1000).toISOString().slice(5, 16).replace("T", " "));
}

Deno.test("CL-177 PR-06 every option set keeps, protects and removes what a real server does", () => {
  const snapshots = VECTORS.snapshots.map((one) => snapshot(one["backup-time"], { protected: one.protected }));
  assert.equal(VECTORS.cases.length, 16);
  for (const { options, keep, protected: guarded, remove } of VECTORS.cases) {
    const marked = markSnapshots(snapshots, parseKeepOptions(options), UTC);
    const name = JSON.stringify(options);
    assert.deepEqual(timesOf(marked, "keep"), keep, name);
    assert.deepEqual(timesOf(marked, "protected"), guarded, name);
    assert.deepEqual(timesOf(marked, "remove"), remove, name);
  }
});

Deno.test("CL-178 PR-04 weeks begin on Monday and go on across the end of a year", () => {
  assert.deepEqual(
    kept(["2024-12-29T23:59", "2024-12-30T00:00", "2025-01-02T10:00", "2025-01-05T23:59"], { "keep-weekly": 2 }),
    ["01-05 23:59", "12-29 23:59"],
  );
  // 31 December 2020 and 3 January 2021 are both in week 53 of 2020.
  assert.deepEqual(
    kept(["2020-12-28T00:00", "2020-12-31T12:00", "2021-01-03T12:00", "2021-01-04T00:00"], {
      "keep-weekly": 9,
    }),
    ["01-04 00:00", "01-03 12:00"],
  );
});

Deno.test("CL-178 PR-03 days are those of the server's time zone, also when one has 23 or 25 hours", () => {
  const vienna = new TimeZone("Europe/Vienna");
  const late = ["2026-07-01T21:30", "2026-07-01T22:30"];
  assert.deepEqual(kept(late, { "keep-daily": 5 }, UTC), ["07-01 22:30"]);
  assert.deepEqual(kept(late, { "keep-daily": 5 }, vienna), ["07-01 22:30", "07-01 21:30"]);
  const change = ["2026-10-24T22:00", "2026-10-25T22:59", "2026-10-25T23:00"];
  assert.deepEqual(kept(change, { "keep-daily": 5 }, vienna), ["10-25 23:00", "10-25 22:59"]);
  const spring = ["2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00"];
  assert.deepEqual(kept(spring, { "keep-daily": 5 }, vienna), ["03-29 22:00", "03-29 21:59"]);
  // The repeated hour is one hour.
  assert.equal(kept(["2026-10-25T00:30", "2026-10-25T01:30"], { "keep-hourly": 5 }, vienna).length, 1);
});

Deno.test("CL-179 PR-09 of unfinished snapshots only one that is newer than everything stays", () => {
  const unfinished = { finished: false };
  const group = [
    snapshot("2026-01-01T00:00"),
    snapshot("2026-01-02T00:00", unfinished),
    snapshot("2026-01-03T00:00"),
    snapshot("2026-01-04T00:00", unfinished),
    snapshot("2026-01-05T00:00", unfinished),
  ];
  const marks = (options: KeepOptions) => markSnapshots(group, options, UTC).map((one) => one.mark);
  assert.deepEqual(marks({ "keep-last": 1 }), ["keep-partial", "remove", "keep", "remove", "remove"]);
  assert.deepEqual(marks({}), ["keep", "keep", "keep", "keep", "keep"]);
  const older = markSnapshots(group.slice(0, 3), { "keep-last": 5 }, UTC).map((one) => one.mark);
  assert.deepEqual(older, ["keep", "remove", "keep"]);
});

Deno.test("CL-179 PR-11 without any option everything stays", () => {
  const group = VECTORS.snapshots.map((one) => snapshot(one["backup-time"], { protected: one.protected }));
  assert.ok(markSnapshots(group, {}, UTC).every(isKept));
  assert.ok(keepsEverything({}) && !keepsEverything({ "keep-yearly": 1 }));
});

Deno.test("PR-01 PR-02 PR-05 periods without backups do not count", () => {
  assert.deepEqual(
    kept(["2026-01-01T00:00", "2026-01-02T00:00", "2026-01-09T00:00", "2026-01-09T01:00", "2026-02-01T00:00"], {
      "keep-last": 2,
    }),
    ["02-01 00:00", "01-09 01:00"],
  );
  assert.deepEqual(kept(["2026-01-01T01:10", "2026-01-01T01:50", "2026-01-01T05:00"], { "keep-hourly": 2 }), [
    "01-01 05:00",
    "01-01 01:50",
  ]);
  assert.deepEqual(kept(["2025-03-01T00:00", "2026-01-01T00:00", "2026-01-31T00:00"], { "keep-monthly": 2 }), [
    "01-31 00:00",
    "03-01 00:00",
  ]);
  assert.deepEqual(kept(["2019-05-01T00:00", "2026-01-01T00:00", "2026-01-31T00:00"], { "keep-yearly": 2 }), [
    "01-31 00:00",
    "05-01 00:00",
  ]);
});

Deno.test("PR-06 PR-08 an option looks only at periods that earlier ones do not cover", () => {
  const days = ["2026-01-03T08:00", "2026-01-04T08:00", "2026-01-04T12:00"];
  const today = ["2026-01-05T01:00", "2026-01-05T02:00", "2026-01-05T03:00", "2026-01-05T04:00"];
  assert.deepEqual(kept([...days, ...today], { "keep-last": 3, "keep-daily": 1 }), [
    "01-05 04:00",
    "01-05 03:00",
    "01-05 02:00",
    "01-04 12:00",
  ]);
});

Deno.test("PR-10 a protected snapshot stays and neither counts nor covers its period", () => {
  const group = [
    snapshot("2026-01-01T00:00", { protected: true }),
    snapshot("2026-01-02T01:00"),
    snapshot("2026-01-02T02:00", { protected: true }),
    snapshot("2026-01-03T00:00", { protected: true, finished: false }),
  ];
  const marks = markSnapshots(group, { "keep-daily": 1 }, UTC).map((one) => one.mark);
  assert.deepEqual(marks, ["protected", "protected", "keep", "protected"]);
});

Deno.test("the simulator tells for each backup of a schedule which option keeps it", () => {
  const schedule = parseCalendarEvent("mon..fri 12:00,18:00"); // hour 12, minutes 0 and 18
  const end = Date.parse("2026-01-30T20:00Z") / 1000;
  const result = simulatePrune({ schedule, weeks: 2, end, options: { "keep-last": 1, "keep-weekly": 2 }, zone: UTC });
  assert.equal(result.length, 20);
  assert.deepEqual(result.filter(isKept).map((one) => [one.snapshot.time, one.option]), [
    [Date.parse("2026-01-30T12:18Z") / 1000, "keep-last"],
    [Date.parse("2026-01-23T12:18Z") / 1000, "keep-weekly"],
  ]);
  const all = { schedule: parseCalendarEvent("minutely"), weeks: 15, end, options: {}, zone: UTC };
  assert.equal(simulatePrune(all).length, MAX_SIMULATED);
});

Deno.test("the ten-year example keeps more than nine years of daily backups", () => {
  const end = Date.parse("2026-06-30T20:00Z") / 1000;
  const options = { "keep-last": 3, "keep-daily": 13, "keep-weekly": 8, "keep-monthly": 11, "keep-yearly": 9 };
  const marked = simulatePrune({ schedule: parseCalendarEvent("daily"), weeks: 626, end, options, zone: UTC });
  const stays = marked.filter(isKept);
  assert.equal(stays.length, 3 + 13 + 8 + 11 + 9);
  assert.ok(stays[0].snapshot.time - stays.at(-1)!.snapshot.time > 9 * 365.25 * 86400);
});

const options: fc.Arbitrary<KeepOptions> = fc.dictionary(
  fc.constantFrom(...KEEP_OPTIONS),
  fc.integer({ min: 1, max: 6 }),
  { noNullPrototype: true },
);
const group = fc.uniqueArray(
  fc.record({
    time: fc.oneof(
      fc.integer({ min: 1767200000, max: 1767900000 }),
      fc.integer({ min: 1600000000, max: 1900000000 }),
    ),
    finished: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
    protected: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  }),
  { selector: (one) => one.time, maxLength: 40 },
);

/** Period names of Vienna, by the runtime's calendar. */
function periodName(option: string, seconds: number): string {
  const date = Temporal.Instant.fromEpochMilliseconds(seconds * 1000).toZonedDateTimeISO("Europe/Vienna");
  if (option === "keep-last") return String(seconds);
  if (option === "keep-weekly") return `${date.yearOfWeek}/${date.weekOfYear}`;
  const length = { "keep-hourly": 13, "keep-daily": 10, "keep-monthly": 7, "keep-yearly": 4 }[option]!;
  return date.toString().slice(0, length);
}

/** The description of the specification, word by word. */
function reference(snapshots: PrunableSnapshot[], options: KeepOptions): Record<number, string> {
  const list = [...snapshots].sort((a, b) => b.time - a.time);
  const marks: Record<number, string> = {};
  if (Object.keys(options).length > 0) {
    list.forEach((one, i) => {
      if (!one.finished) marks[one.time] = i === 0 ? "keep-partial" : "remove";
    });
  }
  for (const option of KEEP_OPTIONS) {
    if (!options[option]) continue;
    const covered = list.filter((one) => marks[one.time] === "keep").map((one) => periodName(option, one.time));
    const selected: string[] = [];
    for (const one of list) {
      if (marks[one.time]) continue;
      if (one.protected) {
        marks[one.time] = "protected";
        continue;
      }
      const key = periodName(option, one.time);
      if (covered.includes(key)) continue;
      if (selected.includes(key)) {
        marks[one.time] = "remove";
        continue;
      }
      if (selected.length === options[option]) break;
      selected.push(key);
      marks[one.time] = "keep";
    }
  }
  const rest = Object.keys(options).length > 0 ? "remove" : "keep";
  for (const one of list) marks[one.time] = one.protected ? "protected" : marks[one.time] ?? rest;
  return marks;
}

Deno.test("PR-07 property: the marks are those of the description of the algorithm", () => {
  const vienna = new TimeZone("Europe/Vienna");
  fc.assert(
    fc.property(group, options, (snapshots, options) => {
      const marked = markSnapshots(snapshots, options, vienna);
      const found = Object.fromEntries(marked.map((one) => [one.snapshot.time, one.mark]));
      assert.deepEqual(found, reference(snapshots, options));
      assert.ok(
        marked.every((one) => (one.option !== undefined) === (one.mark === "keep" && !keepsEverything(options))),
      );
    }),
    { numRuns: 300 },
  );
});

Deno.test("keep options are whole numbers from 1", () => {
  assert.deepEqual(parseKeepOptions({ "keep-last": "3", "keep-daily": 7, "store": "x" }), {
    "keep-last": 3,
    "keep-daily": 7,
  });
  assert.equal(formatKeepOptions({ "keep-daily": 7, "keep-last": 3 }), "--keep-last 3 --keep-daily 7");
  for (const bad of ["0", "-1", "1.5", "", "x", 0, -1, 1.5, NaN, null, true, "9".repeat(16)]) {
    assert.throws(() => parseKeepOptions({ "keep-last": bad }), FormatError, String(bad));
  }
});

Deno.test("property: options are read back from what was printed, any value is an option or a FormatError", () => {
  fc.assert(fc.property(options, (options) => {
    const pairs = formatKeepOptions(options).split(" --").filter((one) => one !== "")
      .map((one) => one.replace(/^--/, "").split(" "));
    assert.deepEqual(parseKeepOptions(Object.fromEntries(pairs)), options);
  }));
  fc.assert(fc.property(fc.dictionary(fc.constantFrom(...KEEP_OPTIONS, "__proto__"), fc.anything()), (values) => {
    try {
      assert.ok(Object.values(parseKeepOptions(values)).every((count) => Number.isSafeInteger(count) && count! > 0));
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }));
});
