/** Choosing and paging tasks for the task list (`spec/rest-conventions.md` §14). */
import type { TaskEntry } from "./task_record.ts";
import { parseTaskStatus, type TaskStatusKind } from "./task_status.ts";

/** Which tasks to list: all members optional, all given ones must hold. */
export interface TaskFilter {
  /** Number of matching tasks to leave out at the beginning. */
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

/** Types whose id is the datastore or begins with it and a colon. Those that PBS lists for a datastore: neither `reader` nor `sync`. */
const STORE_TYPES: ReadonlySet<string> = new Set([
  "backup",
  "verify",
  "verify_group",
  "verify_snapshot",
  "verificationjob",
  "prune",
  "prunejob",
  "garbage_collection",
]);

/** The datastore that a task works on, undefined when it is none (or cannot be told from the id). */
export function storeOfTask(entry: Pick<TaskEntry, "workerType" | "workerId">): string | undefined {
  const parts = entry.workerId?.split(":") ?? [];
  if (entry.workerType === "syncjob") return parts[2];
  return STORE_TYPES.has(entry.workerType) ? parts[0] : undefined;
}

/** True when all conditions of the filter hold. */
export function matchesFilter(entry: TaskEntry, filter: TaskFilter): boolean {
  if (filter.running && entry.status !== undefined) return false;
  if (filter.errors && entry.status === "OK") return false;
  if (filter.since !== undefined && entry.startTime < filter.since) return false;
  if (filter.until !== undefined && entry.startTime > filter.until) return false;
  if (filter.user !== undefined && !entry.authId.includes(filter.user)) return false;
  if (filter.type !== undefined && !entry.workerType.includes(filter.type)) return false;
  if (filter.store !== undefined && storeOfTask(entry) !== filter.store) return false;
  if (filter.statuses && filter.statuses.length > 0) {
    if (entry.status === undefined || !filter.statuses.includes(parseTaskStatus(entry.status).kind)) return false;
  }
  return filter.visible?.(entry) ?? true;
}

/** Collects one page out of tasks that come newest first. */
export class TaskPage {
  readonly tasks: TaskEntry[] = [];
  readonly #filter: TaskFilter;
  readonly #start: number;
  readonly #limit: number;
  #seen = 0;

  constructor(filter: TaskFilter) {
    this.#filter = filter;
    this.#start = filter.start ?? 0;
    this.#limit = filter.limit ?? 50;
  }

  /** Takes a task if it belongs on the page. False when the page is full. */
  add(entry: TaskEntry): boolean {
    if (this.full) return false;
    if (matchesFilter(entry, this.#filter) && this.#seen++ >= this.#start) this.tasks.push(entry);
    return !this.full;
  }

  get full(): boolean {
    return this.#limit > 0 && this.tasks.length >= this.#limit;
  }

  /** What the API reports: tasks up to the end of the page, and one more when it is full, so that clients ask on. */
  get total(): number {
    return this.#start + this.tasks.length + (this.full ? 1 : 0);
  }
}
