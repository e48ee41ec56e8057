/** flock on lock files, with the check that the locked file still is the one under its name (`spec/datastore-layout.md` §6.2). */
import { DozoError } from "../../base/errors.ts";
import { close, fchown, fstat, lstat, open, OpenFlag } from "../../native/fs.ts";
import { tryFlock } from "../../native/lock.ts";
import { codeOf, failure } from "../backend/failure.ts";

/** Shared or exclusive. */
export type LockKind = "shared" | "exclusive";

const FIRST_RETRY_MS = 1;
const LONGEST_RETRY_MS = 32;
const FILE_MODE = 0o660;

/** A held lock. Released once, by `release` or by disposing; the process's end releases it too. */
export class HeldLock implements Disposable {
  readonly path: string;
  #fd: number | undefined;

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
  }

  /** Gives the lock back; further calls do nothing. */
  release(): void {
    if (this.#fd === undefined) return;
    close(this.#fd);
    this.#fd = undefined;
  }

  /** Removes the lock file of an object that is gone, then releases. Who waits for it notices by the inode. */
  remove(): void {
    if (this.#fd === undefined) return;
    try {
      Deno.removeSync(this.path);
    } catch {
      // Someone cleaned the directory: the lock ends either way.
    }
    this.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }
}

/** How to take a lock. */
export interface LockRequest {
  readonly kind: LockKind;
  /** Milliseconds to keep trying; default 0: at once or not at all. */
  readonly wait?: number;
  /** uid and gid of a new lock file, when the process may set them. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Takes the lock, or undefined when another holds it. Throws when the lock file cannot be made. */
export async function tryLockFile(path: string, request: LockRequest): Promise<HeldLock | undefined> {
  const deadline = Date.now() + (request.wait ?? 0);
  for (let pause = FIRST_RETRY_MS;; pause = Math.min(2 * pause, LONGEST_RETRY_MS)) {
    const lock = attempt(path, request);
    if (lock) return lock;
    if (Date.now() >= deadline) return undefined;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function attempt(path: string, { kind, owner }: LockRequest): HeldLock | undefined {
  const fd = openLockFile(path, owner);
  try {
    if (tryFlock(fd, kind) && isSameFile(fd, path)) return new HeldLock(path, fd);
  } catch (error) {
    close(fd);
    throw failure(`unable to lock "${path}"`, error);
  }
  close(fd);
  return undefined;
}

function openLockFile(path: string, owner: LockRequest["owner"]): number {
  const flags = OpenFlag.READ_WRITE | OpenFlag.APPEND | OpenFlag.CREATE | OpenFlag.NOFOLLOW;
  let fd: number;
  try {
    fd = open(path, flags, FILE_MODE);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw failure(`unable to open lock file "${path}"`, error);
    try {
      makeDirectory(path.slice(0, path.lastIndexOf("/")), owner);
      fd = open(path, flags, FILE_MODE);
    } catch (second) {
      throw failure(`unable to create lock file "${path}"`, second);
    }
  }
  // A file that root made must be open to the server's own user.
  if (owner && fstat(fd).uid !== owner.uid) fchown(fd, owner.uid, owner.gid);
  return fd;
}

function makeDirectory(path: string, owner: LockRequest["owner"]): void {
  try {
    Deno.mkdirSync(path, { mode: 0o755 });
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    if (codeOf(error) !== "ENOENT" || path === "") throw error;
    makeDirectory(path.slice(0, path.lastIndexOf("/")), owner);
    makeDirectory(path, owner);
    return;
  }
  if (owner) Deno.chownSync(path, owner.uid, owner.gid);
}

function isSameFile(fd: number, path: string): boolean {
  const held = fstat(fd);
  try {
    const named = lstat(path);
    return named.ino === held.ino && named.dev === held.dev;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** As {@link tryLockFile}; throws `what` ("unable to acquire …") with the file's name when another holds the lock. */
export async function lockFile(path: string, request: LockRequest, what: string): Promise<HeldLock> {
  const lock = await tryLockFile(path, request);
  if (!lock) throw new DozoError(`${what} "${path}"`);
  return lock;
}
