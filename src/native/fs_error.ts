/** Errors of the file system: what was tried, on which file, and what the system said. */
import { DozoError } from "../base/errors.ts";
import { Errno, errnoName } from "./errno.ts";
import { AT_FDCWD, type FileName, type NameFault, printableName } from "./file_name.ts";
import { errnoMessage } from "./libc.ts";

const HINTS: Readonly<Record<string, string>> = {
  EMFILE: "; raise the limit of open files (ulimit -n)",
  ENFILE: "; raise the system's limit of open files (fs.file-max)",
  EROFS: "; mount the file system writable",
};

/** A failed call on a file. `code` is the system's name of the error, such as `ENOENT`. */
export class FsError extends DozoError {
  override readonly name = "FsError";
  /** Name of the error, such as `ENOENT`. */
  readonly code: string;
  /** Number of the error. */
  readonly errno: number;
  /** The file, printable. */
  readonly path: string;

  constructor(action: string, path: string, errno: number) {
    const code = errnoName(errno);
    super(`unable to ${action} "${path}": ${errnoMessage(errno)} (${code})${HINTS[code] ?? ""}`);
    this.code = code;
    this.errno = errno;
    this.path = path;
  }
}

/** True for a failed call with this error name, also one of the runtime's own calls. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as Error & { code?: unknown }).code === code;
}

/** Error of a call on `name` in a directory. */
export function failedAt(action: string, dirfd: number, name: FileName, errno: number): FsError {
  return new FsError(action, printablePath(dirfd, name), errno);
}

/** Error of a call on an open file. */
export function failedOn(action: string, fd: number, errno: number): FsError {
  return new FsError(action, pathOf(fd), errno);
}

/** The usable buffer, or the error of a name that cannot be handed to the system. */
export function usable(
  prepared: Uint8Array<ArrayBuffer> | NameFault,
  action: string,
  dirfd: number,
  name: FileName,
): Uint8Array<ArrayBuffer> {
  if (typeof prepared !== "string") return prepared;
  throw failedAt(action, dirfd, name, Errno[prepared]);
}

function printablePath(dirfd: number, name: FileName): string {
  const text = printableName(name);
  if (dirfd === AT_FDCWD || text.startsWith("/")) return text;
  const directory = pathOf(dirfd);
  if (text === "") return directory;
  return directory.endsWith("/") ? directory + text : `${directory}/${text}`;
}

function pathOf(fd: number): string {
  try {
    return printableName(Deno.readLinkSync(`/proc/self/fd/${fd}`));
  } catch {
    return `file descriptor ${fd}`;
  }
}
