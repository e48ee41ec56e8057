/** This process and others: identity, umask, signals, start times. Errors are {@link DozoError}. */
import { DozoError } from "../base/errors.ts";
import { Errno, errnoName } from "./errno.ts";
import { errnoMessage, lastErrno, libc } from "./libc.ts";

const PR_SET_PDEATHSIG = 1;
const PR_SET_DUMPABLE = 4;
const START_TIME_FIELD = 22;

/** Real user id. */
export function getuid(): number {
  return libc().getuid();
}

/** Effective user id: the one that decides what is permitted; 0 is root. */
export function geteuid(): number {
  return libc().geteuid();
}

/** Real group id. */
export function getgid(): number {
  return libc().getgid();
}

/** Effective group id. */
export function getegid(): number {
  return libc().getegid();
}

/**
 * Gives root rights up for good: no further groups, then group, then user. glibc changes all threads of the process.
 * Throws {@link DozoError} where this is not permitted.
 */
export function dropPrivileges(uid: number, gid: number): void {
  const lib = libc();
  if (lib.setgroups(0, null) !== 0) throw failed("give up the further groups");
  if (lib.setgid(gid) !== 0) throw failed(`become group ${gid}`);
  if (lib.setuid(uid) !== 0) throw failed(`become user ${uid}`);
}

/** Sets the mask of permission bits that new files do not get; returns the former one. */
export function umask(mask: number): number {
  return libc().umask(mask);
}

/** Process id of the parent; 1 (or that of a subreaper) after it has ended. */
export function getppid(): number {
  return libc().getppid();
}

/** Sends a signal by number. False when there is no such process. Throws {@link DozoError} when not permitted. */
export function kill(pid: number, signal: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) throw new DozoError(`'${pid}' is not a process id`);
  if (libc().kill(pid, signal) === 0) return true;
  if (lastErrno() === Errno.ESRCH) return false;
  throw failed(`send signal ${signal} to process ${pid}`);
}

/**
 * When a process was started, in clock ticks since boot: field 22 of `/proc/PID/stat`, which tells a process from a later
 * one with the same id. Null when there is no such process.
 */
export function processStartTime(pid: number): number | null {
  let text: string;
  try {
    text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  } catch {
    return null;
  }
  // The second field is the command in parentheses and may hold anything, spaces and parentheses included.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const value = Number(fields[START_TIME_FIELD - 3]);
  return Number.isSafeInteger(value) ? value : null;
}

/** True while the process with this id, and with this start time where it is given, is there (and no zombie). */
export function isRunning(pid: number, startTime?: number): boolean {
  const found = processStartTime(pid);
  return found !== null && (startTime === undefined || found === startTime);
}

/** True when the descriptor is a terminal. */
export function isTerminal(fd: number): boolean {
  return libc().isatty(fd) === 1;
}

/** Keeps the memory of this process (keys, passwords) out of core dumps and away from others of the same user. */
export function forbidCoreDumps(): void {
  if (libc().prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) !== 0) throw failed("forbid core dumps");
}

/**
 * Asks the kernel to send this process a signal when its parent thread ends, so that a worker does not outlive a killed
 * supervisor.
 */
export function signalAtParentExit(signal: number): void {
  if (libc().prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0) !== 0) throw failed("watch the parent process");
}

function failed(action: string): DozoError {
  const errno = lastErrno();
  return new DozoError(`unable to ${action}: ${errnoMessage(errno)} (${errnoName(errno)})`);
}
