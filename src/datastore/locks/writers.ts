/**
 * Who is writing to a store, in files: one lock file per writer below `<locks>/<store>/.writers/`, named by its start time and held
 * as long as it writes. Garbage collection runs in a process of its own and learns from it the time of the oldest writer, which
 * PBS knows from its own memory.
 */
import type { HeldLock, LockRequest } from "./lock_file.ts";
import { tryLockFile } from "./lock_file.ts";
import { DozoError } from "../../base/errors.ts";
import { isMissing } from "../backend/failure.ts";

const DIRECTORY = ".writers";
const NAME = /^([0-9]{1,12})-[0-9a-f-]{36}$/;

/** Registers a writer from `startTime` (epoch seconds) on. `lockDirectory` is that of the store. End it with `remove()`. */
export async function registerWriter(
  lockDirectory: string,
  startTime: number,
  owner?: LockRequest["owner"],
): Promise<HeldLock> {
  // A scan may take a new file for that of a dead writer and remove it: then the next name serves.
  for (let attempt = 0; attempt < 100; attempt++) {
    const path = `${lockDirectory}/${DIRECTORY}/${startTime}-${crypto.randomUUID()}`;
    const lock = await tryLockFile(path, { kind: "exclusive", owner });
    if (lock) return lock;
  }
  throw new DozoError(`unable to register a writer in "${lockDirectory}/${DIRECTORY}"`);
}

/** Start time (epoch seconds) of the oldest writer of any process, or undefined when nobody writes. Clears up after dead ones. */
export async function oldestWriter(lockDirectory: string): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const name of await namesIn(`${lockDirectory}/${DIRECTORY}`)) {
    const match = NAME.exec(name);
    if (!match) continue;
    const dead = await tryLockFile(`${lockDirectory}/${DIRECTORY}/${name}`, { kind: "exclusive" });
    if (dead) dead.remove();
    else oldest = Math.min(oldest ?? Infinity, Number(match[1]));
  }
  return oldest;
}

async function namesIn(path: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(path)) names.push(name);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  return names;
}
