/** Log files of tasks: where they are and how they are read (`spec/rest-conventions.md` §13). */
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { parseUpid } from "../formats/upid.ts";
import { parseLogTail, type TaskResult } from "./task_record.ts";

/** Bytes at the end of a log in which its end marker is looked for. */
const TAIL_SIZE = 8192;
/** Bytes of one line that are shown; the rest of a longer one is left out. */
const MAX_LINE = 64 << 10;

/** One line of a log; `n` counts from 1. */
export interface LogLine {
  readonly n: number;
  readonly t: string;
}

/** Path of a task's log: `XX/UPID`, XX the lowest byte of the process start time. Throws {@link DozoError} for a malformed UPID. */
export function logPath(directory: string, upid: string): string {
  const bucket = (parseUpid(upid).pstart & 0xff).toString(16).toUpperCase().padStart(2, "0");
  return join(directory, bucket, upid);
}

/** What the end of the log tells. Status unknown with the time of the last write when there is no end marker, undefined without log. */
export async function readLogResult(directory: string, upid: string): Promise<TaskResult | undefined> {
  try {
    using file = await Deno.open(logPath(directory, upid));
    const { size, mtime } = await file.stat();
    const tail = new Uint8Array(Math.min(size, TAIL_SIZE));
    await file.seek(size - tail.length, Deno.SeekMode.Start);
    let length = 0;
    for (let read; length < tail.length && (read = await file.read(tail.subarray(length)));) length += read;
    const result = parseLogTail(new TextDecoder().decode(tail.subarray(0, length)));
    return result ?? { status: { kind: "unknown" }, endTime: Math.floor((mtime?.getTime() ?? 0) / 1000) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * Lines `start` (0 means 1) and following, at most `limit` (0: all), and the number of lines of the file. Memory: the lines
 * that are returned. Throws {@link DozoError} (400) when the task has no log.
 */
export async function readLogLines(
  directory: string,
  upid: string,
  start: number,
  limit: number,
): Promise<{ lines: LogLine[]; total: number }> {
  const first = Math.max(1, start);
  const end = limit > 0 ? first + limit : Infinity;
  const lines: LogLine[] = [];
  let n = 0;
  try {
    using file = await Deno.open(logPath(directory, upid));
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(64 << 10);
    let line = "";
    let pending = false;
    const finishLine = () => {
      n++;
      if (n >= first && n < end) lines.push({ n, t: line });
      line = "";
      pending = false;
    };
    for (let read; (read = await file.read(buffer));) {
      for (let from = 0; from < read;) {
        const newline = buffer.subarray(0, read).indexOf(0x0a, from);
        const to = newline < 0 ? read : newline;
        const wanted = n + 1 >= first && n + 1 < end;
        if (wanted && line.length < MAX_LINE) {
          line += decoder.decode(buffer.subarray(from, to), { stream: newline < 0 });
        }
        pending = true;
        if (newline >= 0) finishLine();
        from = to + 1;
      }
    }
    if (pending) finishLine();
  } catch (error) {
    if (error instanceof DozoError) throw error;
    throw new DozoError(`unable to read the log of task '${upid}': ${errorMessage(error)}`, { cause: error });
  }
  return { lines, total: n };
}
