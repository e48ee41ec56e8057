/** Turns what the file system reports into errors that say what was tried, on what, and what to do. */
import { DozoError, errorMessage } from "../../base/errors.ts";

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "no space left on the file system; free space or enlarge it",
  EDQUOT: "disk quota exceeded; raise the quota or free space",
  EROFS: "the file system is read-only; check the kernel log for errors of the disk",
  EMLINK: "the file system does not allow 65536 sub-directories in one directory; use ext4 with dir_nlink, xfs or zfs",
  EIO: "input/output error; check the disk and the kernel log",
  EACCES: "permission denied; the directory must belong to the user of the server",
  EPERM: "operation not permitted; the directory must belong to the user of the server",
  EMFILE: "too many open files; raise the limit of the server process",
  ENOENT: "No such file or directory (os error 2)",
  ESTALE: "stale file handle; the file system was unmounted or replaced",
};

/** Error code such as `ENOENT` of anything the runtime or the native layer throws, if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotFound) return "ENOENT";
  if (error instanceof Deno.errors.AlreadyExists) return "EEXIST";
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}

/** True for "there is nothing under that name" (a parent that is no directory counts). */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** `what` ("unable to write chunk …") with the reason and what to do. */
export function failure(what: string, error: unknown): DozoError {
  if (error instanceof DozoError && codeOf(error) === undefined) return error;
  const code = codeOf(error);
  const reason = code !== undefined && ADVICE[code] ? ADVICE[code] : errorMessage(error);
  return new DozoError(`${what} - ${reason}`, { cause: error });
}
