import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { parseCalendarEvent } from "../formats/calendar/calendar_event.ts";
import { TimeZone } from "../formats/calendar/time_zone.ts";
import { formatJobState, type JobState, jobStatus, lastRunTime, nextRun, parseJobState } from "./job_state.ts";
import type { TaskStatus } from "./task_status.ts";

const VECTORS = new URL("../../test/vectors/tasks/", import.meta.url);
const UTC = new TimeZone("UTC");
const UPID = "UPID:pbs1:00007378:0002DD59:00000019:6B019760:prunejob:store1\\x3aa:root@pam:";

function vectorState(name: string): string {
  return Deno.readTextFileSync(new URL(`jobstates/${name}`, VECTORS));
}

Deno.test("every state file of a real server is read and written back byte for byte", () => {
  const names = [...Deno.readDirSync(new URL("jobstates/", VECTORS))].map((entry) => entry.name);
  assert.equal(names.length, 22);
  for (const name of names) assert.equal(formatJobState(parseJobState(vectorState(name))), vectorState(name), name);
});

Deno.test("job listings show the last and the next run as a real server does", () => {
  const types: Record<string, string> = { sync: "syncjob", verify: "verificationjob", prune: "prunejob" };
  let checked = 0;
  for (const line of Deno.readTextFileSync(new URL("api.jsonl", VECTORS)).trim().split("\n")) {
    const { url, json, status } = JSON.parse(line);
    const kind = /^\/api2\/json\/admin\/(sync|verify|prune)$/.exec(url ?? "")?.[1];
    if (kind === undefined || status !== 200) continue;
    for (const job of json.data) {
      const state = parseJobState(vectorState(`${types[kind]}-${job.id}.json`));
      const schedule = job.schedule === undefined || job.disable ? undefined : parseCalendarEvent(job.schedule);
      const shown = Object.entries(job).filter(([key]) => /^(next|last)-run/.test(key));
      assert.deepEqual(jobStatus(state, schedule, UTC, 1795266824), Object.fromEntries(shown), job.id);
      checked++;
    }
  }
  assert.ok(checked >= 10);
});

Deno.test("the next run counts from the start of the last one, or from a later change of the schedule", () => {
  const ok = { status: { kind: "ok" }, endTime: 1795266400 } as const;
  const finished: JobState = { kind: "finished", upid: UPID, result: ok };
  assert.equal(lastRunTime(finished), 0x6b019760);
  assert.equal(lastRunTime({ ...finished, updated: 1795270000 }), 1795270000);
  assert.equal(lastRunTime({ ...finished, updated: 5 }), 0x6b019760);
  assert.equal(lastRunTime({ kind: "started", upid: UPID }), 0x6b019760);
  assert.equal(lastRunTime({ kind: "created", time: 7 }), 7);
});

Deno.test("missed events are made up for once, a wrong clock in the past holds nothing up", () => {
  const hourly = parseCalendarEvent("hourly");
  const now = 1893456000 + 100;
  assert.equal(nextRun({ kind: "created", time: now - 86400 * 3 }, hourly, UTC, now), 1893456000 - 86400 * 3 + 3600);
  assert.equal(nextRun({ kind: "created", time: now }, hourly, UTC, now), 1893456000 + 3600);
  assert.equal(nextRun({ kind: "created", time: now + 86400 * 365 }, hourly, UTC, now), 1893456000 + 3600);
  assert.equal(nextRun({ kind: "created", time: now }, parseCalendarEvent("2029-01-01"), UTC, now), undefined);
});

const status: fc.Arbitrary<TaskStatus> = fc.oneof(
  fc.constant({ kind: "ok" } as const),
  fc.constant({ kind: "unknown" } as const),
  fc.record({ kind: fc.constant("warning" as const), count: fc.maxSafeNat() }, { noNullPrototype: true }),
  fc.record({ kind: fc.constant("error" as const), message: fc.string() }, { noNullPrototype: true }),
);
const state: fc.Arbitrary<JobState> = fc.oneof(
  fc.record({ kind: fc.constant("created" as const), time: fc.maxSafeNat() }, { noNullPrototype: true }),
  fc.constant({ kind: "started", upid: UPID } as const),
  fc.record({
    kind: fc.constant("finished" as const),
    upid: fc.constant(UPID),
    result: fc.record({ status, endTime: fc.maxSafeNat() }, { noNullPrototype: true }),
    updated: fc.maxSafeNat(),
  }, { requiredKeys: ["kind", "upid", "result"], noNullPrototype: true }),
);

Deno.test("property: a state comes back", () => {
  fc.assert(fc.property(state, (state) => assert.deepEqual(parseJobState(formatJobState(state)), state)));
});

Deno.test("fuzz: any text is a state or a FormatError", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc.tuple(state, fc.nat(200), fc.nat(9), fc.string({ maxLength: 3 }))
      .map(([state, at, remove, insert]) => {
        const text = formatJobState(state);
        return text.slice(0, at) + insert + text.slice(at + remove);
      }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      try {
        assert.ok(Number.isSafeInteger(lastRunTime(parseJobState(text))));
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }),
    { numRuns: 500 },
  );
  for (
    const bad of ["{}", '{"created":{"time":1},"started":{}}', '{"created":{"time":"1"}}', '{"finished":{"upid":"x"}}']
  ) {
    assert.throws(() => parseJobState(bad), FormatError, bad);
  }
  assert.throws(() => parseJobState(" ".repeat((1 << 20) + 1)), /larger/);
});
