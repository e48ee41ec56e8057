/** The directory of job state files, used by several processes (`spec/rest-conventions.md` §16). */
import { join } from "node:path";
import { DozoError, errorMessage, FormatError } from "../base/errors.ts";
import { type FileOwner, replaceFile } from "../config/atomic_file.ts";
import { isSafeId } from "../formats/names.ts";
import { parseUpid } from "../formats/upid.ts";
import { tryJobLock } from "./job_lock.ts";
import { formatJobState, type JobState, MAX_JOB_STATE_SIZE, parseJobState } from "./job_state.ts";
import type { TaskResult } from "./task_record.ts";
import { parseTaskStatus } from "./task_status.ts";
import type { TaskStore } from "./task_store.ts";

/** The kinds of jobs that have a state. */
export const JOB_TYPES = [
  "syncjob",
  "verificationjob",
  "prunejob",
  "garbage_collection",
  "tape-backup-job",
  "realm-sync",
  "logrotate",
] as const;
export type JobType = typeof JOB_TYPES[number];

/** Which job: `name` is the job's id, the datastore for `garbage_collection`. */
export interface JobKey {
  readonly type: JobType;
  readonly name: string;
}

/** Longest job name: it is part of a file name. */
const MAX_JOB_NAME = 128;

/** All job states of a server. */
export class JobStates {
  /** `directory` is made when first written to. `tasks` tells what became of a run whose end nobody recorded. */
  constructor(
    readonly directory: string,
    readonly tasks: Pick<TaskStore, "isRunning" | "result">,
    readonly owner?: FileOwner,
  ) {}

  /**
   * The present state, undefined when the job has none. A run whose process ended without a word counts as finished with what
   * its log tells; a damaged file counts as a job created when it was written. Throws {@link DozoError}.
   */
  async read(job: JobKey): Promise<JobState | undefined> {
    const state = await this.#load(job);
    if (state?.kind !== "started") return state;
    const result = await this.tasks.result(state.upid);
    if (result === undefined) return state;
    const { status, endTime = parseUpid(state.upid).startTime } = result;
    return { kind: "finished", upid: state.upid, result: { status: parseTaskStatus(status), endTime } };
  }

  /** {@link read} for the scheduler: a job without state counts, from now on, as created at `now` (Unix seconds). */
  async readOrCreate(job: JobKey, now: number): Promise<JobState> {
    const state = await this.read(job);
    if (state) return state;
    await this.created(job, now);
    return { kind: "created", time: now };
  }

  /** Records that the job was created at `now`: what a job of the same name did before is forgotten. */
  async created(job: JobKey, now: number): Promise<void> {
    await this.#write(job, { kind: "created", time: now });
  }

  /** Records that the schedule was changed at `now`, so that events before it are not made up for. A running job is left alone. */
  async scheduleChanged(job: JobKey, now: number): Promise<void> {
    using lock = await this.#lock(job);
    if (!lock) return;
    const state = await this.read(job);
    if (state?.kind === "started") return;
    await this.#write(job, state?.kind === "finished" ? { ...state, updated: now } : { kind: "created", time: now });
  }

  /** Removes the state of a deleted job. Without one nothing happens. */
  async remove(job: JobKey): Promise<void> {
    using lock = await this.#lock(job);
    await removeFile(this.#path(job, "json"));
    // A running job keeps its lock until it ends.
    if (lock) await removeFile(this.#path(job, "lck"));
  }

  /**
   * Takes the job for a run by this process. Throws {@link DozoError} (400) when it is running. Of several schedulers each
   * should look at {@link JobRun.previous} whether the job is still due.
   */
  async begin(job: JobKey): Promise<JobRun> {
    let lock = await this.#lock(job);
    // A change of the schedule holds the lock for a moment, a run for longer.
    for (let retries = 5; !lock && retries > 0; retries--) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      lock = await this.#lock(job);
    }
    if (!lock) throw new DozoError(`unable to start ${job.type} '${job.name}': it is already running`);
    const previous = await this.read(job);
    let running: string | undefined;
    const record = async (state: JobState) => {
      // A job that was removed or created again meanwhile is not the one of this run any more.
      const current = running === undefined ? undefined : await this.#load(job);
      if (running !== undefined && !(current?.kind === "started" && current.upid === running)) return;
      await this.#write(job, state);
      running = state.kind === "started" ? state.upid : undefined;
    };
    return new JobRun(lock, previous, record);
  }

  async #lock(job: JobKey): Promise<Deno.FsFile | undefined> {
    const path = this.#path(job, "lck");
    await this.#makeDirectory();
    return await tryJobLock(path);
  }

  async #load(job: JobKey): Promise<JobState | undefined> {
    const path = this.#path(job, "json");
    try {
      const { size, mtime } = await Deno.stat(path);
      if (size <= MAX_JOB_STATE_SIZE) {
        try {
          return parseJobState(await Deno.readFile(path));
        } catch (error) {
          if (!(error instanceof FormatError)) throw error;
        }
      }
      return { kind: "created", time: Math.floor((mtime?.getTime() ?? 0) / 1000) };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw new DozoError(`unable to read job state '${path}': ${errorMessage(error)}`, { status: 500, cause: error });
    }
  }

  async #write(job: JobKey, state: JobState): Promise<void> {
    const path = this.#path(job, "json");
    await this.#makeDirectory();
    await replaceFile(path, formatJobState(state), 0o644, this.owner);
  }

  async #makeDirectory(): Promise<void> {
    try {
      await Deno.mkdir(this.directory, { recursive: true, mode: 0o755 });
    } catch (error) {
      const message = `unable to create the directory of job states '${this.directory}': ${errorMessage(error)}`;
      throw new DozoError(message, { status: 500, cause: error });
    }
  }

  #path({ type, name }: JobKey, extension: "json" | "lck"): string {
    if (!isSafeId(name) || name.length > MAX_JOB_NAME) throw new DozoError(`invalid job name '${name.slice(0, 80)}'`);
    return join(this.directory, `${type}-${name}.${extension}`);
  }
}

/** A job taken by this process. It is given back by {@link finished}, by disposing it, or by the end of the process. */
export class JobRun implements Disposable {
  readonly #record: (state: JobState) => Promise<void>;
  #lock?: Deno.FsFile;
  #upid?: string;

  /** `previous`: the state when the job was taken. */
  constructor(
    lock: Deno.FsFile,
    readonly previous: JobState | undefined,
    record: (state: JobState) => Promise<void>,
  ) {
    this.#lock = lock;
    this.#record = record;
  }

  /** Records the task that does the job; the task must be in the task list already. */
  async started(upid: string): Promise<void> {
    await this.#record({ kind: "started", upid });
    this.#upid = upid;
  }

  /** Records the result of the task and gives the job back. */
  async finished(result: TaskResult): Promise<void> {
    try {
      if (this.#upid !== undefined) await this.#record({ kind: "finished", upid: this.#upid, result });
    } finally {
      this[Symbol.dispose]();
    }
  }

  [Symbol.dispose](): void {
    this.#lock?.close();
    this.#lock = undefined;
  }
}

async function removeFile(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new DozoError(`unable to remove '${path}': ${errorMessage(error)}`, { status: 500, cause: error });
  }
}
