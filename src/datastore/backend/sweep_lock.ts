/**
 * The lock between uses and removals of chunks: inserts and touches hold it shared, the removal of an old chunk exclusive.
 * It closes the gap in which garbage collection of another process has found a chunk old, and a session finds it present.
 * PBS needs no such lock: there both run in one process. One lock file for 256 chunk directories, beside the store's other
 * locks: not every network file system can lock, and two hosts must not use a store at once anyway.
 */
import { DozoError } from "../../base/errors.ts";
import { type HeldLock, type LockKind, type LockRequest, tryLockFile } from "../locks/lock_file.ts";

const TIMEOUT_MS = 60_000;

/** The sweep locks of one store. */
export class SweepLocks {
  readonly #directory: string;
  readonly #owner: LockRequest["owner"];

  /** `lockDirectory`: that of the store. */
  constructor(lockDirectory: string, owner?: LockRequest["owner"]) {
    this.#directory = `${lockDirectory}/.sweep`;
    this.#owner = owner;
  }

  /** Takes the lock that covers a chunk, waiting up to a minute. */
  async hold(digest: Uint8Array, kind: LockKind): Promise<HeldLock> {
    const path = `${this.#directory}/${digest[0].toString(16).padStart(2, "0")}`;
    const lock = await tryLockFile(path, { kind, wait: TIMEOUT_MS, owner: this.#owner });
    if (!lock) throw new DozoError(`unable to get the lock "${path}" within a minute`);
    return lock;
  }
}
