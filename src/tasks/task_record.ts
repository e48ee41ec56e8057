/** Lines of the task lists and the tail of a task log (`spec/rest-conventions.md` §13). */
import { isUpid, parseUpid } from "../formats/upid.ts";
import { parseRfc3339 } from "../formats/rfc3339.ts";
import { formatTaskStatus, parseTaskStatus, type TaskStatus } from "./task_status.ts";

/** A row of the task list. `endTime` and `status` are absent while the task runs. */
export interface TaskEntry {
  readonly upid: string;
  readonly pid: number;
  readonly pstart: number;
  /** Unix seconds. */
  readonly startTime: number;
  readonly workerType: string;
  readonly workerId: string | null;
  readonly authId: string;
  /** Unix seconds. */
  readonly endTime?: number;
  readonly status?: string;
}

/** How a task ended. */
export interface TaskResult {
  readonly status: TaskStatus;
  /** Unix seconds. */
  readonly endTime: number;
}

/** The row for a UPID. Throws {@link FormatError} when it is malformed. */
export function taskEntry(upid: string, result?: { endTime: number; status: string }): TaskEntry {
  const { pid, pstart, startTime, workerType, workerId, authId } = parseUpid(upid);
  return { upid, pid, pstart, startTime, workerType, workerId, authId, ...result };
}

/** A line of `active`, `index` or `archive`; undefined for one that is none (a torn write must not hide the rest). */
export function parseTaskLine(line: string): TaskEntry | undefined {
  const [upid, end, ...status] = line.split(" ");
  if (!isUpid(upid)) return undefined;
  try {
    if (end === undefined) return taskEntry(upid);
    if (!/^[0-9A-Fa-f]{8,16}$/.test(end) || status.length === 0) return undefined;
    return taskEntry(upid, { endTime: parseInt(end, 16), status: status.join(" ") });
  } catch {
    return undefined;
  }
}

/** All readable lines of a list, in file order. */
export function parseTaskList(text: string): TaskEntry[] {
  return text.split("\n").map(parseTaskLine).filter((entry) => entry !== undefined);
}

/** `UPID` for a running task, `UPID ENDTIME STATUS` for a finished one, with the line end. */
export function formatTaskLine(entry: TaskEntry): string {
  if (entry.endTime === undefined) return `${entry.upid}\n`;
  const end = entry.endTime.toString(16).toUpperCase().padStart(8, "0");
  return `${entry.upid} ${end} ${entry.status ?? "unknown"}\n`;
}

/** Text of the last line of a log. */
export function formatEndMarker(status: TaskStatus): string {
  return status.kind === "error"
    ? `TASK ERROR: ${formatTaskStatus(status)}`
    : status.kind === "unknown"
    ? "TASK unknown"
    : `TASK ${formatTaskStatus(status)}`;
}

/** The result that the end of a log tells: that of its last line with an end marker. Undefined when there is none. */
export function parseLogTail(tail: string): TaskResult | undefined {
  for (const line of tail.split("\n").reverse()) {
    const match = /^(\S{20,35}): TASK (.+)$/.exec(line);
    if (!match) continue;
    try {
      return { endTime: parseRfc3339(match[1]), status: parseTaskStatus(match[2]) };
    } catch {
      continue;
    }
  }
}
