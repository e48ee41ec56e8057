/** The lists of running and finished tasks, shared by all processes under one lock (`spec/rest-conventions.md` §13). */
import { join } from "node:path";
import { withFileLock } from "../config/file_lock.ts";
import { readLogResult } from "./log_file.ts";
import { formatTaskLine, parseTaskList, type TaskEntry } from "./task_record.ts";
import { formatTaskStatus } from "./task_status.ts";
import { isAlive, SELF } from "./task_process.ts";

/** Reads and rewrites `active` and `archive` below a task directory. */
export class TaskIndex {
  /** UPIDs of the tasks that run in this process. */
  readonly #own = new Set<string>();
  /** Finished tasks of this process that could not be recorded yet. */
  #unrecorded: TaskEntry[] = [];

  constructor(readonly directory: string) {}

  /** Registers a task of this process as running. Throws {@link DozoError} when the lists cannot be locked or written. */
  async started(entry: TaskEntry): Promise<void> {
    this.#own.add(entry.upid);
    try {
      await this.#update([entry]);
    } catch (error) {
      this.#own.delete(entry.upid);
      throw error;
    }
  }

  /** Moves a task of this process to the finished ones. */
  async finished(entry: TaskEntry): Promise<void> {
    this.#own.delete(entry.upid);
    this.#unrecorded.push(entry);
    await this.#update([]);
  }

  /** The running tasks, newest first. Tasks whose process has died are moved to the finished ones on the way. */
  async running(): Promise<TaskEntry[]> {
    let entries = await this.#readActive();
    if (entries.some((entry) => !this.#isRunning(entry))) {
      // A task list that can be read but not written (full disk, foreign owner) is still worth showing.
      await this.#update([]).catch(() => {});
      entries = (await this.#readActive()).filter((entry) => this.#isRunning(entry));
    }
    return entries.sort((a, b) => b.startTime - a.startTime);
  }

  /** True while the task is registered and its process lives. */
  async isRunning(upid: string): Promise<boolean> {
    if (this.#own.has(upid)) return true;
    return (await this.#readActive()).some((entry) => entry.upid === upid && this.#isRunning(entry));
  }

  /** Runs `work` while no process changes the lists. */
  locked<T>(work: () => Promise<T>): Promise<T> {
    return withFileLock(join(this.directory, ".active.lock"), work);
  }

  #isRunning(entry: TaskEntry): boolean {
    if (entry.endTime !== undefined) return false;
    if (entry.pid === SELF.pid && entry.pstart === SELF.pstart) return this.#own.has(entry.upid);
    return isAlive(entry);
  }

  async #readActive(): Promise<TaskEntry[]> {
    return parseTaskList(await readTextOrEmpty(join(this.directory, "active")));
  }

  async #update(added: readonly TaskEntry[]): Promise<void> {
    await this.locked(async () => {
      const ended = new Map(this.#unrecorded.map((entry) => [entry.upid, entry]));
      const running: TaskEntry[] = [];
      const finished: TaskEntry[] = [];
      for (const entry of [...await this.#readActive(), ...added]) {
        const result = ended.get(entry.upid);
        if (result) finished.push(result);
        else if (entry.endTime !== undefined) finished.push(entry);
        else if (this.#isRunning(entry)) running.push(entry);
        else finished.push(await this.#resultOf(entry));
      }
      finished.sort((a, b) => (a.endTime ?? 0) - (b.endTime ?? 0));
      // First what is finished: a crash in between shows a task twice rather than not at all.
      await appendText(join(this.directory, "archive"), finished.map(formatTaskLine).join(""));
      await replaceText(join(this.directory, "active"), running.map(formatTaskLine).join(""));
      this.#unrecorded = this.#unrecorded.filter((entry) => !ended.has(entry.upid));
    });
  }

  async #resultOf(entry: TaskEntry): Promise<TaskEntry> {
    const result = await readLogResult(this.directory, entry.upid);
    return {
      ...entry,
      endTime: result?.endTime ?? entry.startTime,
      status: formatTaskStatus(result?.status ?? { kind: "unknown" }),
    };
  }
}

/** The text of a file; empty when it does not exist. */
export async function readTextOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

async function appendText(path: string, text: string): Promise<void> {
  if (text !== "") await Deno.writeTextFile(path, text, { append: true, create: true, mode: 0o640 });
}

/** Replaces a list atomically. It may be lost in a power cut: the tasks in it are gone then, too. */
async function replaceText(path: string, text: string): Promise<void> {
  const aside = `${path}.tmp_${SELF.pid}`;
  await Deno.writeTextFile(aside, text, { mode: 0o640 });
  await Deno.rename(aside, path);
}
