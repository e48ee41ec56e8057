/** Locks of configuration files: an exclusive `flock` on a file of its own (`spec/config-files.md` §1). */
import { DozoError, errorMessage } from "../base/errors.ts";

const WAIT_MS = 10_000;

/** Runs `work` while holding the exclusive lock on `path`. Throws {@link DozoError} when it is not free within 10 s. */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { write: true, create: true, mode: 0o660 });
  } catch (error) {
    throw new DozoError(`unable to open lock '${path}': ${errorMessage(error)}`, { cause: error });
  }
  using held = file;
  const deadline = Date.now() + WAIT_MS;
  for (let pause = 5; !(await held.tryLock(true)); pause = Math.min(pause * 2, 100)) {
    if (Date.now() > deadline) {
      throw new DozoError(
        `trying to acquire lock '${path}' timed out after ${WAIT_MS / 1000} s: another process holds it`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return await work();
}
