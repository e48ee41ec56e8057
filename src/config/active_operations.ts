/** Counters of running reads and writes per datastore, shared by all processes through a file (`spec/datastore-layout.md` §6.4). */
import { join } from "node:path";
import { withFileLock } from "./file_lock.ts";

/** Numbers of running operations. */
export interface OperationCounts {
  readonly read: number;
  readonly write: number;
}

interface ProcessEntry {
  pid: number;
  starttime: number;
  active_operations: { read: number; write: number };
}

/** Start of a process in clock ticks after boot; undefined when it is gone. */
function startTimeOf(pid: number): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]);
  } catch {
    return undefined;
  }
}

/** The counters of this machine's processes, in `directory` (one file per store). */
export class ActiveOperations {
  readonly #directory: string;
  readonly #startTime = startTimeOf(Deno.pid) ?? 0;

  constructor(runDirectory: string) {
    this.#directory = join(runDirectory, "active-operations");
  }

  /** Counts an operation of this process; the returned function ends it and may be called more than once. */
  async begin(store: string, kind: "read" | "write"): Promise<() => Promise<void>> {
    await this.#add(store, kind, 1);
    let running = true;
    return async () => {
      if (!running) return;
      running = false;
      await this.#add(store, kind, -1);
    };
  }

  /** Sums over the living processes. */
  async counts(store: string): Promise<OperationCounts> {
    const sum = { read: 0, write: 0 };
    for (const entry of this.#alive(await this.#load(store))) {
      sum.read += entry.active_operations.read;
      sum.write += entry.active_operations.write;
    }
    return sum;
  }

  async #add(store: string, kind: "read" | "write", change: number): Promise<void> {
    await Deno.mkdir(this.#directory, { recursive: true });
    const path = join(this.#directory, store);
    await withFileLock(`${path}.lock`, async () => {
      const entries = this.#alive(await this.#load(store));
      let own = entries.find((entry) => entry.pid === Deno.pid);
      if (!own) {
        own = { pid: Deno.pid, starttime: this.#startTime, active_operations: { read: 0, write: 0 } };
        entries.push(own);
      }
      own.active_operations[kind] = Math.max(0, own.active_operations[kind] + change);
      // Gone with a reboot, like the directory: no need to force it to disk.
      const aside = `${path}.${Deno.pid}.tmp`;
      await Deno.writeTextFile(aside, JSON.stringify(entries));
      await Deno.rename(aside, path);
    });
  }

  #alive(entries: ProcessEntry[]): ProcessEntry[] {
    return entries.filter((entry) => startTimeOf(entry.pid) === entry.starttime);
  }

  async #load(store: string): Promise<ProcessEntry[]> {
    try {
      const entries: unknown = JSON.parse(await Deno.readTextFile(join(this.#directory, store)));
      return Array.isArray(entries)
        ? entries.filter((entry) => typeof entry?.active_operations?.read === "number")
        : [];
    } catch {
      return [];
    }
  }
}
