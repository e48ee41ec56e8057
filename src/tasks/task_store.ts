/** The task directory: logs, list of running and of finished tasks (`spec/rest-conventions.md` §12-14). */
import { DozoError } from "../base/errors.ts";
import type { TaskLog } from "./task_log.ts";
import type { TaskStatusKind } from "./task_status.ts";

/** What a new task is. */
export interface TaskSpec {
  /** Worker type, for example `backup` (§15). */
  readonly type: string;
  /** Worker id, for example `store1:vm/100`. */
  readonly id?: string | null;
  /** Who starts it: `user@realm` or `user@realm!token`. */
  readonly authId: string;
}

/** A row of the task list. `endTime` and `status` are absent while the task runs. */
export interface TaskEntry {
  readonly upid: string;
  readonly pid: number;
  readonly pstart: number;
  readonly startTime: number;
  readonly workerType: string;
  readonly workerId: string | null;
  readonly authId: string;
  readonly endTime?: number;
  readonly status?: string;
}

/** Which tasks to list: all members optional, all given ones must hold. */
export interface TaskFilter {
  readonly start?: number;
  /** Default 50; 0 = no limit. */
  readonly limit?: number;
  /** Only tasks that concern this datastore. */
  readonly store?: string;
  /** Only running ones. */
  readonly running?: boolean;
  /** No finished ones with status OK. */
  readonly errors?: boolean;
  /** Part of the authid. */
  readonly user?: string;
  /** Part of the worker type. */
  readonly type?: string;
  /** Range of the start time, Unix seconds, both ends included. */
  readonly since?: number;
  readonly until?: number;
  readonly statuses?: readonly TaskStatusKind[];
  /** Further condition, for example what the caller may see. */
  readonly visible?: (entry: TaskEntry) => boolean;
}

/** All tasks of one node. Several processes may use the same directory. */
export class TaskStore {
  /** `directory`: the one that holds `active`, `archive` and the logs. `node`: short host name for new UPIDs. */
  constructor(readonly directory: string, readonly node: string) {}

  /** Creates log and list entry of a task that runs in this process. */
  start(_spec: TaskSpec): Promise<TaskLog> {
    return Promise.reject(new DozoError("being written"));
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

  /** Tasks, newest first, and the `total` that the API reports. */
  list(_filter: TaskFilter = {}): Promise<{ tasks: TaskEntry[]; total: number }> {
    return Promise.reject(new DozoError("being written"));
  }

  /** True while the task's process lives and has the task registered. */
  isRunning(_upid: string): Promise<boolean> {
    return Promise.reject(new DozoError("being written"));
  }

  /** Result of a finished task; status `unknown` without end time when there is no log; undefined while it runs. */
  result(_upid: string): Promise<{ status: string; endTime?: number } | undefined> {
    return Promise.reject(new DozoError("being written"));
  }

  /** Lines `start` (1-based; 0 = 1) and following, at most `limit` (0 = all), and the number of lines. Throws 400 without log. */
  readLog(
    _upid: string,
    _start: number,
    _limit: number,
  ): Promise<{ lines: { n: number; t: string }[]; total: number }> {
    return Promise.reject(new DozoError("being written"));
  }

  /** Path of the log file. Throws {@link DozoError} for a malformed UPID. */
  logPath(_upid: string): string {
    throw new DozoError("being written");
  }

  /** Asks a task to stop, in whichever process it runs. Nothing happens when it has ended. */
  requestAbort(_upid: string): Promise<void> {
    return Promise.reject(new DozoError("being written"));
  }

  /** Stops the timers of this object and aborts the tasks of this process with `reason`. */
  close(_reason: string): Promise<void> {
    return Promise.reject(new DozoError("being written"));
  }
}
