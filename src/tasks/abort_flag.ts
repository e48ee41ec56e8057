/**
 * Abort requests to tasks of other processes: an empty file named like the task in `.abort`. The process that runs the task
 * looks for it. (PBS sends such requests through a socket of the process; a file needs no listener and survives a busy one.)
 */
import { join } from "node:path";

function flagDirectory(directory: string): string {
  return join(directory, ".abort");
}

/** Asks the process that runs `upid` (a well-formed UPID) to stop it. */
export async function requestAbort(directory: string, upid: string): Promise<void> {
  await Deno.mkdir(flagDirectory(directory), { recursive: true, mode: 0o750 });
  await Deno.writeTextFile(join(flagDirectory(directory), upid), "");
}

/** UPIDs of the tasks that are to stop; empty when there is no request or they cannot be read. */
export async function abortRequests(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(flagDirectory(directory)))).map((entry) => entry.name);
  } catch {
    return [];
  }
}

/** Removes the request of a task that has ended. */
export async function clearAbortRequest(directory: string, upid: string): Promise<void> {
  await Deno.remove(join(flagDirectory(directory), upid)).catch(() => {});
}
