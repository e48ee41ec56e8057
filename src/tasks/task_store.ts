/** The task directory: logs, list of running and of finished tasks (`spec/rest-conventions.md` §12-14). */
import { DozoError, errorMessage } from "../base/errors.ts";
import { formatUpid, MAX_UPID_LENGTH } from "../formats/upid.ts";
import { abortRequests, clearAbortRequest, requestAbort } from "./abort_flag.ts";
import { archivesNewestFirst } from "./task_archive.ts";
import { type LogLine, logPath, readLogLines, readLogResult } from "./log_file.ts";
import { RunningTask } from "./running_task.ts";
import { type TaskFilter, TaskPage } from "./task_filter.ts";
import { TaskIndex } from "./task_index.ts";
import type { TaskLog } from "./task_log.ts";
import { nextTaskId, SELF } from "./task_process.ts";
import { type TaskEntry, taskEntry } from "./task_record.ts";
import { removeOldLogs, rotateArchive, type RotationOptions } from "./task_rotation.ts";
import { formatTaskStatus } from "./task_status.ts";

export type { TaskEntry } from "./task_record.ts";
export type { TaskFilter } from "./task_filter.ts";

/** What a new task is. */
export interface TaskSpec {
  /** Worker type, for example `backup` (§15). */
  readonly type: string;
  /** Worker id, for example `store1:vm/100`. */
  readonly id?: string | null;
  /** Who starts it: `user@realm` or `user@realm!token`. */
  readonly authId: string;
}

/** How often abort requests of other processes are looked for while tasks run, in milliseconds. */
const ABORT_POLL_MS = 500;

/** All tasks of one node. Several processes may use the same directory. */
export class TaskStore {
  readonly #index: TaskIndex;
  readonly #tasks = new Map<string, RunningTask>();
  #poll: ReturnType<typeof setInterval> | undefined;
  #ready?: Promise<void>;

  /** `directory`: the one that holds `active`, `archive` and the logs (made if missing). `node`: short host name for new UPIDs. */
  constructor(readonly directory: string, readonly node: string) {
    this.#index = new TaskIndex(directory);
  }

  /** Creates log and list entry of a task that runs in this process. Throws {@link DozoError} when the files cannot be written. */
  async start(spec: TaskSpec): Promise<TaskLog> {
    this.#ready ??= Deno.mkdir(this.directory, { recursive: true, mode: 0o755 }).then(() => {});
    try {
      await this.#ready;
    } catch (error) {
      this.#ready = undefined;
      const message = `unable to create task directory '${this.directory}': ${errorMessage(error)}`;
      throw new DozoError(message, { status: 500, cause: error });
    }
    const upid = this.#newUpid(spec);
    const entry = taskEntry(upid);
    const task = await RunningTask.create(this.directory, upid, async (status, endTime) => {
      this.#tasks.delete(upid);
      await clearAbortRequest(this.directory, upid);
      this.#updatePoll();
      // The result is in the log already; a list that cannot be written now is completed at the next occasion.
      await this.#index.finished({ ...entry, endTime, status: formatTaskStatus(status) }).catch(() => {});
    });
    try {
      await this.#index.started(entry);
    } catch (error) {
      await task.finish(error);
      throw error;
    }
    this.#tasks.set(upid, task);
    this.#updatePoll();
    return task;
  }

  /** Runs `work` as a task: an exception ends it as failed and is thrown again. */
  async run<T>(spec: TaskSpec, work: (log: TaskLog) => Promise<T>): Promise<T> {
    const log = await this.start(spec);
    try {
      const result = await work(log);
      await log.finish();
      return result;
    } catch (error) {
      await log.finish(error);
      throw error;
    }
  }

  /** Tasks, running ones first, each part newest first, and the `total` that the API reports. */
  async list(filter: TaskFilter = {}): Promise<{ tasks: TaskEntry[]; total: number }> {
    const page = new TaskPage(filter);
    const known = new Set<string>();
    for (const entry of await this.#index.running()) {
      known.add(entry.upid);
      page.add(entry);
    }
    if (!filter.running && !page.full) {
      for await (const entries of archivesNewestFirst(this.directory)) {
        for (let i = entries.length - 1; i >= 0 && !page.full; i--) {
          // A task that ends while the lists are read is in both; a list torn by a crash may have one twice.
          if (known.has(entries[i].upid)) continue;
          known.add(entries[i].upid);
          page.add(entries[i]);
        }
        if (page.full) break;
      }
    }
    return { tasks: page.tasks, total: page.total };
  }

  /** True while the task's process lives and has the task registered. */
  isRunning(upid: string): Promise<boolean> {
    return this.#index.isRunning(upid);
  }

  /** Result of a finished task; status `unknown` without end time when there is no log; undefined while it runs. */
  async result(upid: string): Promise<{ status: string; endTime?: number } | undefined> {
    if (await this.isRunning(upid)) return undefined;
    const result = await readLogResult(this.directory, upid);
    return result ? { status: formatTaskStatus(result.status), endTime: result.endTime } : { status: "unknown" };
  }

  /** Lines `start` (1-based; 0 = 1) and following, at most `limit` (0 = all), and the number of lines. Throws 400 without log. */
  readLog(upid: string, start: number, limit: number): Promise<{ lines: LogLine[]; total: number }> {
    return readLogLines(this.directory, upid, start, limit);
  }

  /** Path of the log file. Throws {@link DozoError} for a malformed UPID. */
  logPath(upid: string): string {
    return logPath(this.directory, upid);
  }

  /** Asks a task to stop, in whichever process it runs. Nothing happens when it has ended. */
  async requestAbort(upid: string): Promise<void> {
    const task = this.#tasks.get(upid);
    if (task) task.abort(ABORT_REASON);
    else if (await this.isRunning(upid)) await requestAbort(this.directory, upid);
  }

  /**
   * Starts a new part of the list of finished tasks when the current one is large, and removes lists and logs that are too
   * old. True when a new part was started. Throws {@link DozoError} when the files cannot be written.
   */
  async rotate(options: RotationOptions = {}): Promise<boolean> {
    const running = new Set((await this.#index.running()).map((entry) => entry.upid));
    return await this.#index.locked(async () => {
      const rotated = await rotateArchive(this.directory, options);
      await removeOldLogs(this.directory, running, options);
      return rotated;
    });
  }

  /**
   * Aborts the tasks of this process with `reason` and waits until they have ended, at most `waitMs`. What is left then is
   * listed with status unknown once the process has gone.
   */
  async close(reason: string, waitMs = 5000): Promise<void> {
    const tasks = [...this.#tasks.values()];
    for (const task of tasks) task.abort(reason);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise<void>((resolve) => timer = setTimeout(resolve, waitMs));
    await Promise.race([Promise.all(tasks.map((task) => task.ended)), timeout]);
    clearTimeout(timer);
    this.#stopPoll();
  }

  #newUpid(spec: TaskSpec): string {
    const upid = {
      node: this.node,
      ...SELF,
      taskId: nextTaskId(),
      startTime: Math.floor(Date.now() / 1000),
      workerType: spec.type,
      authId: spec.authId,
    };
    let id = [...spec.id ?? ""];
    for (;;) {
      try {
        return formatUpid({ ...upid, workerId: id.length > 0 ? id.join("") : null });
      } catch (error) {
        // The UPID is a file name: a long id is cut rather than the task refused.
        if (id.length === 0) throw error;
        id = id.slice(0, Math.min(id.length - 1, MAX_UPID_LENGTH));
      }
    }
  }

  #updatePoll(): void {
    if (this.#tasks.size === 0) this.#stopPoll();
    else if (this.#poll === undefined) {
      const poll = setInterval(() => void this.#pollAborts(), ABORT_POLL_MS);
      Deno.unrefTimer(poll);
      this.#poll = poll;
    }
  }

  #stopPoll(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
  }

  async #pollAborts(): Promise<void> {
    for (const upid of await abortRequests(this.directory)) this.#tasks.get(upid)?.abort(ABORT_REASON);
  }
}

const ABORT_REASON = "abort requested - aborting task";
