/**
 * The thread that creates small files while another one receives and decodes: it runs lists of jobs one after the other.
 * Its code is handed over as text, so that it needs no file of its own beside the program: it may use nothing outside of
 * its one function.
 */

/** Numbers that describe a job, in this order, and how many these are. */
export const JobField = {
  Directory: 0,
  NameAt: 1,
  NameEnd: 2,
  DataAt: 3,
  DataEnd: 4,
  Mode: 5,
  Uid: 6,
  Gid: 7,
  MtimeSec: 8,
  MtimeNsec: 9,
} as const;
export const JOB_FIELDS = 10;

/** What a job was doing when it failed. */
export const JobStep = { Create: 0, Write: 1, Owner: 2, Permissions: 3, Mtime: 4, Close: 5 } as const;

/** A list of jobs for the worker; the memory of both arrays goes there and comes back with the answer. */
export interface JobList {
  /** Names (with NUL) and contents. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly jobs: Float64Array<ArrayBuffer>;
  readonly count: number;
  readonly owner: boolean;
  readonly permissions: boolean;
}

/** The worker's answer: for each failed step the number of the job, the {@link JobStep} and the error number. */
export interface JobAnswer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly jobs: Float64Array<ArrayBuffer>;
  readonly failures: readonly (readonly [job: number, step: number, errno: number])[];
}

/** Module text of the worker. `flags` are those of `openat` for a file that must not exist yet. */
export function fileWorkerSource(flags: number): string {
  return `(${work})(${flags})`;
}

function work(flags: number): void {
  const port = self as unknown as {
    onmessage: (event: MessageEvent<JobList>) => void;
    postMessage(answer: JobAnswer, transfer: ArrayBuffer[]): void;
  };
  const { symbols: libc } = Deno.dlopen("libc.so.6", {
    openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
    pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "isize" },
    fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
    fchmod: { parameters: ["i32", "u32"], result: "i32" },
    futimens: { parameters: ["i32", "buffer"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
    __errno_location: { parameters: [], result: "pointer" },
  });
  const place = libc.__errno_location();
  if (place === null) throw new Error("libc has no error number");
  const errno = new Deno.UnsafePointerView(place);
  const times = new BigInt64Array(4);
  // UTIME_OMIT: the access time stays.
  times[1] = BigInt((1 << 30) - 2);

  port.onmessage = ({ data: { bytes, jobs, count, owner, permissions } }) => {
    const failures: [number, number, number][] = [];
    for (let job = 0; job < count; job++) {
      const at = job * 10;
      const failed = (step: number) => failures.push([job, step, errno.getInt32(0)]);
      const fd = libc.openat(jobs[at], bytes.subarray(jobs[at + 1], jobs[at + 2]), flags, 0o600);
      if (fd < 0) {
        failed(0);
        continue;
      }
      const start = jobs[at + 3];
      for (let from = start; from < jobs[at + 4];) {
        const rest = bytes.subarray(from, jobs[at + 4]);
        const written = Number(libc.pwrite(fd, rest, BigInt(rest.length), BigInt(from - start)));
        if (written < 0) {
          if (errno.getInt32(0) === 4) continue;
          failed(1);
          break;
        }
        from += written;
      }
      if (owner && libc.fchown(fd, jobs[at + 6], jobs[at + 7]) !== 0) failed(2);
      if (permissions && libc.fchmod(fd, jobs[at + 5]) !== 0) failed(3);
      times[2] = BigInt(jobs[at + 8]);
      times[3] = BigInt(jobs[at + 9]);
      if (libc.futimens(fd, times) !== 0) failed(4);
      if (libc.close(fd) !== 0) failed(5);
    }
    port.postMessage({ bytes, jobs, failures }, [bytes.buffer, jobs.buffer]);
  };
}
