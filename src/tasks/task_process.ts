/** Which process a task belongs to, and whether that process still lives (`spec/rest-conventions.md` §12). */

/** Start time of a process in clock ticks since boot, undefined when it does not exist (or is a zombie). */
export function processStart(pid: number): number | undefined {
  let stat: string;
  try {
    stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return undefined;
  }
  // The command name in brackets may hold blanks and brackets itself.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" || fields[0] === "X" ? undefined : Number(fields[19]);
}

/** This process, as its UPIDs name it. */
export const SELF: { readonly pid: number; readonly pstart: number } = {
  pid: Deno.pid,
  pstart: processStart(Deno.pid) ?? 0,
};

/** True while the process that a UPID names lives. */
export function isAlive(process: { readonly pid: number; readonly pstart: number }): boolean {
  return processStart(process.pid) === process.pstart;
}

let counter = 0;

/** Number for the next task of this process. */
export function nextTaskId(): number {
  return counter++;
}
