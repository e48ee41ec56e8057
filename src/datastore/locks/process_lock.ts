/**
 * The process lock of a datastore: POSIX record locks on `<base>/.lock` (`spec/datastore-layout.md` §6.1).
 *
 * Such locks belong to the process, and closing *any* descriptor of the file drops them all. So there is one descriptor
 * per file and process, found by device and inode, however many `Datastore` objects are open.
 */
import { DozoError } from "../../base/errors.ts";
import { close, lstat, open, OpenFlag } from "../../native/fs.ts";
import { tryRecordLock, unlockRecord } from "../../native/lock.ts";
import { failure } from "../backend/failure.ts";

interface OpenLock {
  readonly fd: number;
  /** Start times (epoch seconds) of the shared holders of this process. */
  readonly holders: Map<symbol, number>;
  exclusive: boolean;
}

const openLocks = new Map<string, OpenLock>();

/** A held process lock; released once. */
export interface ProcessLockHold extends Disposable {
  release(): void;
}

function entryOf(path: string): { key: string; lock: OpenLock } {
  try {
    const { dev, ino } = lstat(path);
    const key = `${dev}:${ino}`;
    let lock = openLocks.get(key);
    if (!lock) {
      lock = { fd: open(path, OpenFlag.READ_WRITE | OpenFlag.NOFOLLOW), holders: new Map(), exclusive: false };
      openLocks.set(key, lock);
    }
    return { key, lock };
  } catch (error) {
    throw failure(`unable to open process lock "${path}"`, error);
  }
}

/** Puts the kernel's lock into the state that the holders of this process need. */
function settle(key: string, lock: OpenLock): void {
  if (lock.exclusive) return;
  if (lock.holders.size > 0) {
    tryRecordLock(lock.fd, "shared");
  } else {
    unlockRecord(lock.fd);
    openLocks.delete(key);
    close(lock.fd);
  }
}

function holdOf(end: () => void): ProcessLockHold {
  let held = true;
  const release = () => {
    if (!held) return;
    held = false;
    end();
  };
  return { release, [Symbol.dispose]: release };
}

/** Shared lock, as every writer of chunks holds it from `startTime` (epoch seconds). Throws while another process holds it exclusively. */
export function lockProcessShared(path: string, startTime: number): ProcessLockHold {
  const { key, lock } = entryOf(path);
  if (lock.holders.size === 0 && !lock.exclusive && !tryRecordLock(lock.fd, "shared")) {
    settle(key, lock);
    throw new DozoError(
      `unable to get shared lock on "${path}" - another process holds it exclusively (garbage collection?), try again later`,
    );
  }
  const token = Symbol();
  lock.holders.set(token, startTime);
  return holdOf(() => {
    lock.holders.delete(token);
    settle(key, lock);
  });
}

/** Exclusive against other processes; shared holders of this process go on. Throws when any other process holds it. */
export function lockProcessExclusive(path: string): ProcessLockHold {
  const { key, lock } = entryOf(path);
  if (lock.exclusive) throw new DozoError(`"${path}" is already locked exclusively by this process`);
  if (!tryRecordLock(lock.fd, "exclusive")) {
    settle(key, lock);
    throw new DozoError(`unable to get exclusive lock on "${path}" - another process uses the datastore for writing`);
  }
  lock.exclusive = true;
  return holdOf(() => {
    lock.exclusive = false;
    settle(key, lock);
  });
}
