/** What is known of a job's last run, and when the next one is due (`spec/rest-conventions.md` §16). Times are Unix seconds. */
import { FormatError } from "../base/errors.ts";
import type { CalendarEvent } from "../formats/calendar/calendar_event.ts";
import { nextEvent } from "../formats/calendar/next_event.ts";
import type { TimeZone } from "../formats/calendar/time_zone.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "../formats/json.ts";
import { isUpid, parseUpid } from "../formats/upid.ts";
import type { TaskResult } from "./task_record.ts";
import { formatTaskStatus, type TaskStatus } from "./task_status.ts";

/** The state of a job. `updated`: when the schedule was changed after the run. */
export type JobState =
  | { readonly kind: "created"; readonly time: number }
  | { readonly kind: "started"; readonly upid: string }
  | { readonly kind: "finished"; readonly upid: string; readonly result: TaskResult; readonly updated?: number };

/** How a job is shown in lists. */
export interface JobStatus {
  readonly "next-run"?: number;
  readonly "last-run-state"?: string;
  readonly "last-run-upid"?: string;
  readonly "last-run-endtime"?: number;
}

/** Largest state file that is read, bytes. */
export const MAX_JOB_STATE_SIZE = 1 << 20;
/** Characters of an error message that are kept. */
const MAX_MESSAGE = 64 << 10;

const WHAT = "job state";

/** Parses a state file. Throws {@link FormatError}. */
export function parseJobState(text: string | Uint8Array): JobState {
  const root = parseJsonObject(text, WHAT, MAX_JOB_STATE_SIZE);
  const [kind, ...others] = Object.keys(root);
  if (others.length > 0) {
    throw new FormatError(`${WHAT} has several variants: ${[kind, ...others].join(", ").slice(0, 80)}`);
  }
  const content = root[kind];
  if (isJsonObject(content)) {
    if (kind === "created") return { kind, time: number(content, "time") };
    if (kind === "started") return { kind, upid: upid(content) };
    if (kind === "finished") {
      const updated = content.updated === undefined || content.updated === null
        ? {}
        : { updated: number(content, "updated") };
      return { kind, upid: upid(content), result: parseResult(content.state), ...updated };
    }
  }
  throw new FormatError(`${WHAT} '${String(kind).slice(0, 80)}' is not known`);
}

/** The content of a state file, as PBS writes it. */
export function formatJobState(state: JobState): string {
  if (state.kind === "created") return JSON.stringify({ created: { time: state.time } });
  if (state.kind === "started") return JSON.stringify({ started: { upid: state.upid } });
  const { upid, result, updated } = state;
  return JSON.stringify({ finished: { upid, state: resultJson(result), updated: updated ?? null } });
}

/** The time from which the next run is counted: creation, start of the last run, or a later change of the schedule. */
export function lastRunTime(state: JobState): number {
  if (state.kind === "created") return state.time;
  const { startTime } = parseUpid(state.upid);
  return state.kind === "finished" ? Math.max(startTime, state.updated ?? 0) : startTime;
}

/**
 * When the job runs next; a time that has passed means at once, however many events were missed. Undefined when never.
 * A last run in the future (the clock was wrong) counts as just now, so that it holds nothing up.
 */
export function nextRun(state: JobState, schedule: CalendarEvent, zone: TimeZone, now: number): number | undefined {
  return nextEvent(schedule, Math.min(lastRunTime(state), now), zone);
}

/** The fields of a job listing. Without `schedule` there is no next run. */
export function jobStatus(
  state: JobState | undefined,
  schedule: CalendarEvent | undefined,
  zone: TimeZone,
  now: number,
): JobStatus {
  if (state === undefined) return {};
  const next = schedule && nextRun(state, schedule, zone, now);
  return {
    ...(next === undefined ? {} : { "next-run": next }),
    ...(state.kind === "created" ? {} : { "last-run-upid": state.upid }),
    ...(state.kind === "finished"
      ? { "last-run-state": formatTaskStatus(state.result.status), "last-run-endtime": state.result.endTime }
      : {}),
  };
}

function parseResult(value: JsonValue | undefined): TaskResult {
  if (isJsonObject(value)) {
    const [kind, ...others] = Object.keys(value);
    const content = value[kind];
    if (others.length === 0 && isJsonObject(content)) {
      return { status: parseStatus(kind, content), endTime: number(content, "endtime") };
    }
  }
  throw new FormatError(`${WHAT} has no result`);
}

function parseStatus(kind: string, content: JsonObject): TaskStatus {
  if (kind === "OK") return { kind: "ok" };
  if (kind === "Unknown") return { kind: "unknown" };
  if (kind === "Warning") return { kind: "warning", count: number(content, "count") };
  if (kind === "Error" && typeof content.message === "string") return { kind: "error", message: content.message };
  throw new FormatError(`${WHAT} has a result '${kind.slice(0, 80)}' that is not known`);
}

function resultJson({ status, endTime: endtime }: TaskResult): JsonObject {
  if (status.kind === "ok") return { OK: { endtime } };
  if (status.kind === "unknown") return { Unknown: { endtime } };
  if (status.kind === "warning") return { Warning: { count: status.count, endtime } };
  return { Error: { message: status.message.slice(0, MAX_MESSAGE), endtime } };
}

function number(content: JsonObject, name: string): number {
  const value = content[name];
  if (typeof value !== "number" || !Number.isSafeInteger(value)) {
    throw new FormatError(`${WHAT}: '${name}' is no integer`);
  }
  return value;
}

function upid(content: JsonObject): string {
  if (typeof content.upid === "string" && isUpid(content.upid)) return content.upid;
  throw new FormatError(`${WHAT}: no valid UPID`);
}
