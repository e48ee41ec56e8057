/** UPID, the name of a task: `UPID:NODE:PID:PSTART:TASKID:STARTTIME:TYPE:ID:AUTHID:` (`spec/rest-conventions.md` §12). */
import { FormatError } from "../base/errors.ts";
import { escapeUnit, unescapeUnit } from "./systemd_escape.ts";

/** The parts of a UPID. */
export interface Upid {
  /** Short host name. */
  readonly node: string;
  /** Process that runs (or started) the task. */
  readonly pid: number;
  /** Start time of that process in clock ticks since boot: tells a reused pid apart. */
  readonly pstart: number;
  /** Counter within that process. */
  readonly taskId: number;
  /** Start of the task, Unix seconds. */
  readonly startTime: number;
  /** For example `backup` or `garbage_collection` (§15). */
  readonly workerType: string;
  /** Unescaped, for example `store1:vm/100`; null when there is none. */
  readonly workerId: string | null;
  /** Who started it: `user@realm` or `user@realm!token`. */
  readonly authId: string;
}

/** Longest UPID text accepted: it is also a file name, for which Linux allows 255 bytes. */
export const MAX_UPID_LENGTH = 255;

const UPID_PATTERN =
  /^UPID:([a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?):([0-9A-Fa-f]{8}):([0-9A-Fa-f]{8,9}):([0-9A-Fa-f]{8,16}):([0-9A-Fa-f]{8}):([^:\s/]+):([^:\s/]*):([^:\s/]+):$/;

function hex8(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, "0");
}

/** Parses a UPID. Throws {@link FormatError} when a field has not the form that stock clients insist on. */
export function parseUpid(text: string): Upid {
  const match = text.length <= MAX_UPID_LENGTH ? UPID_PATTERN.exec(text) : null;
  if (!match) throw new FormatError(`unable to parse UPID '${text.slice(0, MAX_UPID_LENGTH)}'`);
  const taskId = parseInt(match[4], 16);
  if (!Number.isSafeInteger(taskId)) throw new FormatError(`task number of UPID '${text}' is too large`);
  return {
    node: match[1],
    pid: parseInt(match[2], 16),
    pstart: parseInt(match[3], 16),
    taskId,
    startTime: parseInt(match[5], 16),
    workerType: match[6],
    workerId: match[7] === "" ? null : unescapeUnit(match[7]),
    authId: match[8],
  };
}

/** The text of a UPID. Throws {@link FormatError} when a part cannot be put into one (or the whole is longer than a file name). */
export function formatUpid(upid: Upid): string {
  const text =
    `UPID:${upid.node}:${hex8(upid.pid)}:${hex8(upid.pstart)}:${hex8(upid.taskId)}:${hex8(upid.startTime)}:` +
    `${upid.workerType}:${upid.workerId === null ? "" : escapeUnit(upid.workerId)}:${upid.authId}:`;
  if (text.length > MAX_UPID_LENGTH || !UPID_PATTERN.test(text)) throw new FormatError(`cannot form a UPID: '${text}'`);
  return text;
}

/** True when `text` is a well-formed UPID. */
export function isUpid(text: string): boolean {
  return text.length <= MAX_UPID_LENGTH && UPID_PATTERN.test(text);
}
