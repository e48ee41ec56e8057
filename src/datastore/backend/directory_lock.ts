/**
 * flock on a chunk directory: inserts and touches hold it shared, the removal of an old chunk exclusive. It closes the gap in
 * which garbage collection of another process has found a chunk old, and a session finds it present. PBS needs no such lock:
 * there both run in one process.
 */
import { DozoError } from "../../base/errors.ts";
import { close, open, OpenFlag } from "../../native/fs.ts";
import { tryFlock } from "../../native/lock.ts";
import { failure, isMissing } from "./failure.ts";

const RETRY_MS = 2;
const TIMEOUT_MS = 60_000;

/** A held lock; disposing releases it. */
export type DirectoryLock = Disposable;

/** Locks a directory, waiting up to a minute; undefined when it does not exist. */
export async function lockDirectory(path: string, kind: "shared" | "exclusive"): Promise<DirectoryLock | undefined> {
  let fd: number;
  try {
    fd = open(path, OpenFlag.READ | OpenFlag.DIRECTORY | OpenFlag.NOFOLLOW);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`unable to open chunk directory "${path}"`, error);
  }
  try {
    const deadline = Date.now() + TIMEOUT_MS;
    while (!tryFlock(fd, kind)) {
      if (Date.now() > deadline) throw new DozoError(`unable to lock chunk directory "${path}" within a minute`);
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    return { [Symbol.dispose]: () => close(fd) };
  } catch (error) {
    close(fd);
    throw error;
  }
}
