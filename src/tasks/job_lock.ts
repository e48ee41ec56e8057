/** The lock of a job: held by the process that runs it, gone when that process ends (`spec/rest-conventions.md` §16). */
import { DozoError, errorMessage } from "../base/errors.ts";

/** Opens and locks `path` without waiting; undefined when another holds it. Throws {@link DozoError} when it cannot be opened. */
export async function tryJobLock(path: string): Promise<Deno.FsFile | undefined> {
  for (;;) {
    const file = await openLock(path);
    try {
      if (!(await file.tryLock(true))) {
        file.close();
        return undefined;
      }
      // Another process may have removed the file, with the job, between opening and locking.
      if (await isAt(file, path)) return file;
    } catch (error) {
      file.close();
      throw new DozoError(`unable to lock '${path}': ${errorMessage(error)}`, { status: 500, cause: error });
    }
    file.close();
  }
}

async function openLock(path: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { write: true, create: true, mode: 0o660 });
  } catch (error) {
    throw new DozoError(`unable to open lock '${path}': ${errorMessage(error)}`, { status: 500, cause: error });
  }
}

async function isAt(file: Deno.FsFile, path: string): Promise<boolean> {
  try {
    const [held, there] = [await file.stat(), await Deno.stat(path)];
    return held.ino === there.ino && held.dev === there.dev;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
