/** Has small files created by a worker thread: collects them in lists, bounded in number and size. */
import { DozoError } from "../base/errors.ts";
import type { PxarEntry } from "../formats/pxar/mod.ts";
import { OpenFlag } from "../native/fs.ts";
import { fileWorkerSource, JOB_FIELDS, type JobAnswer, JobField, type JobList } from "./file_worker.ts";

/** Largest content that goes through a list; each is copied once more. */
export const SMALL_MAX = 128 * 1024;

const LIST_BYTES = 2 * 1024 * 1024;
const LIST_JOBS = 256;
/** Lists in all: one being filled, the others at work or waiting for it. */
const LISTS = 4;

const CREATE_FLAGS = OpenFlag.WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE | OpenFlag.NOFOLLOW | OpenFlag.CLOEXEC;

/** Steps that failed for one file, with their error numbers; none when all is well. */
export type Failures = readonly (readonly [step: number, errno: number])[];

/** Where a file goes, and who must know when it is there. */
export interface Place {
  /** Open directory; stays open until {@link done}. */
  readonly fd: number;
  done(entry: PxarEntry, failures: Failures): void;
}

interface Job {
  readonly entry: PxarEntry;
  readonly place: Place;
}

interface List {
  bytes: Uint8Array<ArrayBuffer>;
  jobs: Float64Array<ArrayBuffer>;
  used: number;
  readonly entries: Job[];
}

/** Files come out in the order in which they were added. */
export class FileCrew {
  readonly #settings: Pick<JobList, "owner" | "permissions">;
  readonly #worker: Worker;
  readonly #free: List[] = [];
  readonly #sent: List[] = [];
  #made = 0;
  #current?: List;
  #failure?: unknown;
  #dead = false;
  #waiting: (() => void)[] = [];

  constructor(settings: Pick<JobList, "owner" | "permissions">) {
    this.#settings = settings;
    const source = `data:application/javascript,${encodeURIComponent(fileWorkerSource(CREATE_FLAGS))}`;
    this.#worker = new Worker(source, { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<JobAnswer>) => this.#answered(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#dead = true;
      this.#failure ??= new DozoError(`the thread that creates files failed: ${event.message}`);
      this.#wake();
    };
  }

  /** True while some file may not be there yet. */
  get busy(): boolean {
    return this.#sent.length > 0 || this.#current !== undefined;
  }

  /** Room for the content of `entry`, to be filled before {@link add}; a promise to wait for when there is none yet. */
  room(entry: PxarEntry): Uint8Array<ArrayBuffer> | Promise<void> {
    if (this.#failure) throw this.#failure;
    const need = entry.name.length + 1 + entry.size;
    const list = this.#current;
    if (list && (list.used + need > LIST_BYTES || list.entries.length === LIST_JOBS)) this.#send();
    this.#current ??= this.#free.pop() ?? this.#make();
    if (!this.#current) return this.#until(() => this.#free.length > 0);
    const start = this.#current.used + entry.name.length + 1;
    return this.#current.bytes.subarray(start, start + entry.size);
  }

  #make(): List | undefined {
    if (this.#made === LISTS) return undefined;
    this.#made++;
    return {
      bytes: new Uint8Array(LIST_BYTES),
      jobs: new Float64Array(LIST_JOBS * JOB_FIELDS),
      used: 0,
      entries: [],
    };
  }

  /** Adds the file whose content was put into the {@link room} asked for last. */
  add(entry: PxarEntry, place: Place): void {
    const list = this.#current as List;
    const { bytes, jobs } = list;
    const { name, size, metadata } = entry;
    const nameAt = list.used;
    const dataAt = nameAt + name.length + 1;
    bytes.set(name, nameAt);
    bytes[dataAt - 1] = 0;
    const at = list.entries.length * JOB_FIELDS;
    jobs[at + JobField.Directory] = place.fd;
    jobs[at + JobField.NameAt] = nameAt;
    jobs[at + JobField.NameEnd] = dataAt;
    jobs[at + JobField.DataAt] = dataAt;
    jobs[at + JobField.DataEnd] = dataAt + size;
    jobs[at + JobField.Mode] = metadata.mode & 0o7777;
    jobs[at + JobField.Uid] = metadata.uid;
    jobs[at + JobField.Gid] = metadata.gid;
    jobs[at + JobField.MtimeSec] = metadata.mtimeSec;
    jobs[at + JobField.MtimeNsec] = metadata.mtimeNsec;
    list.used = dataAt + size;
    list.entries.push({ entry, place });
  }

  #send(): void {
    const list = this.#current as List;
    this.#current = undefined;
    if (list.entries.length === 0) {
      this.#free.push(list);
      return;
    }
    this.#sent.push(list);
    const { bytes, jobs, entries } = list;
    const message: JobList = { bytes, jobs, count: entries.length, ...this.#settings };
    this.#worker.postMessage(message, [bytes.buffer, jobs.buffer]);
  }

  #answered({ bytes, jobs, failures }: JobAnswer): void {
    const list = this.#sent.shift() as List;
    const entries = list.entries.splice(0);
    let next = 0;
    entries.forEach(({ entry, place }, job) => {
      const mine: [number, number][] = [];
      for (; next < failures.length && failures[next][0] === job; next++) {
        mine.push([failures[next][1], failures[next][2]]);
      }
      try {
        place.done(entry, mine);
      } catch (error) {
        this.#failure ??= error;
      }
    });
    this.#free.push({ bytes, jobs, used: 0, entries: list.entries });
    this.#wake();
  }

  #wake(): void {
    this.#waiting.splice(0).forEach((wake) => wake());
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done() && !this.#failure) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    if (this.#failure) throw this.#failure;
  }

  /** Resolves when every file added is there. Rejects with what {@link Place.done} threw. */
  async drain(): Promise<void> {
    if (this.#current) this.#send();
    await this.#until(() => this.#sent.length === 0);
  }

  /** Ends the thread once it has done what it was given: only then may directories be closed. */
  async close(): Promise<void> {
    while (this.#sent.length > 0 && !this.#dead) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#worker.terminate();
  }
}
