/** A task that runs in this process: its log and its abort signal. */
import { dirname } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { formatRfc3339 } from "../formats/rfc3339.ts";
import { logPath } from "./log_file.ts";
import type { TaskLog } from "./task_log.ts";
import { formatEndMarker } from "./task_record.ts";
import type { TaskStatus } from "./task_status.ts";

const encoder = new TextEncoder();

/** Now, in Unix seconds, and as the 25-character time stamp with local offset that log lines begin with. */
function timeStamp(): { seconds: number; text: string } {
  const now = new Date();
  const seconds = Math.floor(now.getTime() / 1000);
  return { seconds, text: formatRfc3339(seconds, -now.getTimezoneOffset()) };
}

/** The {@link TaskLog} that a {@link TaskStore} hands out. */
export class RunningTask implements TaskLog {
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #file: Deno.FsFile;
  /** Resolves when the task has ended and is recorded. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  readonly #record: (status: TaskStatus, endTime: number) => Promise<void>;
  #warnings = 0;
  #finishing?: Promise<void>;

  private constructor(
    readonly upid: string,
    file: Deno.FsFile,
    record: (status: TaskStatus, endTime: number) => Promise<void>,
  ) {
    this.#file = file;
    this.#record = record;
    this.ended = new Promise((resolve) => this.#resolveEnded = resolve);
    this.signal = this.#abort.signal;
  }

  /** Creates the log file. Throws {@link DozoError} when that fails. `record` puts the result into the task list. */
  static async create(
    directory: string,
    upid: string,
    record: (status: TaskStatus, endTime: number) => Promise<void>,
  ): Promise<RunningTask> {
    const path = logPath(directory, upid);
    try {
      await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
      const file = await Deno.open(path, { append: true, createNew: true, mode: 0o640 });
      return new RunningTask(upid, file, record);
    } catch (error) {
      throw new DozoError(`unable to create task log '${path}': ${errorMessage(error)}`, { status: 500, cause: error });
    }
  }

  get warnings(): number {
    return this.#warnings;
  }

  log(message: string): void {
    if (this.#finishing) return;
    this.#write(timeStamp().text, message);
  }

  warn(message: string): void {
    this.#warnings++;
    this.log(`WARN: ${message}`);
  }

  checkAbort(): void {
    this.signal.throwIfAborted();
  }

  /** Makes {@link signal} fire with `reason`, unless the task has ended. */
  abort(reason: string): void {
    if (this.#finishing || this.signal.aborted) return;
    this.log(`received abort request: ${reason}`);
    this.#abort.abort(new DozoError(reason));
  }

  finish(error?: unknown): Promise<void> {
    this.#finishing ??= this.#end(error);
    return this.#finishing;
  }

  async #end(error: unknown): Promise<void> {
    const status: TaskStatus = error !== undefined
      ? { kind: "error", message: errorMessage(error) }
      : this.#warnings > 0
      ? { kind: "warning", count: this.#warnings }
      : { kind: "ok" };
    const { seconds, text } = timeStamp();
    this.#write(text, formatEndMarker(status));
    this.#file.close();
    await this.#record(status, seconds);
    this.#resolveEnded();
  }

  #write(time: string, message: string): void {
    // One write per line, so that lines of a log stay whole. A log that cannot be written (full disk) must not fail the task.
    try {
      this.#file.writeSync(encoder.encode(`${time}: ${message}\n`));
    } catch { /* the task goes on without this line */ }
  }
}
