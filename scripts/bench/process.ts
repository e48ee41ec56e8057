/** Runs one command and measures it; watches the memory and processor time of a server that runs meanwhile. */

/** What one run cost. */
export interface Cost {
  /** Wall-clock time. */
  readonly seconds: number;
  /** Processor time of the command, user and system. */
  readonly cpu: number;
  /** Largest resident set of the command in MiB. */
  readonly rss: number;
}

/** Runs `command` under GNU time. Throws with its output when it fails. */
export async function timed(command: string, args: readonly string[], env: Record<string, string>): Promise<Cost> {
  const report = await Deno.makeTempFile({ prefix: "dozo-bench-" });
  try {
    const child = new Deno.Command("/usr/bin/time", {
      args: ["-f", "%U %S %M", "-o", report, command, ...args],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    const started = performance.now();
    const { code, stdout, stderr } = await child.output();
    const seconds = (performance.now() - started) / 1000;
    if (code !== 0) {
      const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${said}`);
    }
    const [user, system, kib] = (await Deno.readTextFile(report)).trim().split("\n").pop()!.split(" ").map(Number);
    return { seconds, cpu: user + system, rss: kib / 1024 };
  } finally {
    await Deno.remove(report);
  }
}

/** Memory and processor time of a process and of those that it started. */
export interface Footprint {
  /** Largest VmHWM of one of the processes since the last {@link resetPeak}, in MiB. */
  readonly peak: number;
  /** Processor time since the start, in seconds. */
  readonly cpu: number;
}

/** The footprint of the process tree of `pid`. */
export function footprint(pid: number): Footprint {
  let peak = 0;
  let ticks = 0;
  for (const one of family(pid)) {
    const status = readProc(one, "status");
    peak = Math.max(peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    const fields = readProc(one, "stat").replace(/^.*\) /s, "").split(" ");
    ticks += Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  }
  return { peak, cpu: ticks / 100 };
}

/** Makes the kernel forget the largest resident sets so far; without the right to, peaks are those since the start. */
export function resetPeak(pid: number): void {
  for (const one of family(pid)) {
    try {
      Deno.writeTextFileSync(`/proc/${one}/clear_refs`, "5");
    } catch {
      return;
    }
  }
}

function family(pid: number): number[] {
  const children = readProc(pid, `task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

function readProc(pid: number, name: string): string {
  try {
    return Deno.readTextFileSync(`/proc/${pid}/${name}`);
  } catch {
    return "";
  }
}

/** Waits until what was written is on the disk, so that one run does not pay for another's writes. */
export async function settle(): Promise<void> {
  await new Deno.Command("sync").output();
}
