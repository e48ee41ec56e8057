/** Lists a directory for the archiver: exclude patterns applied, in byte order (`spec/pxar.md` §10, §11). */
import { compareBytes } from "../base/bytes.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import { lastMatch, MAX_PATTERN_FILE_SIZE, parsePatternFile, type Pattern } from "../formats/pattern.ts";
import { FileType } from "../formats/pxar/mod.ts";
import { close, EntryType, FsError, fstatat, openat, OpenFlag, readDir, readFull } from "../native/fs.ts";
import { type PathBuffer, quotePath } from "./path.ts";

/** A child as the kernel lists it; `type` is an S_IFMT value. */
export interface Child {
  readonly name: Uint8Array;
  readonly type: number;
}

const text = new TextEncoder();
const PATTERN_FILE = text.encode(".pxarexclude");
/** Written by the archiver itself into the root; one that lies there is never archived. */
export const CLI_PATTERN_FILE = text.encode(".pxarexclude-cli");

/** Exclude patterns in force; those of a `.pxarexclude` file hold from its directory downwards. */
export class ExcludeList {
  readonly #patterns: Pattern[];
  readonly #warn: (line: string) => void;

  constructor(patterns: readonly Pattern[], warn: (line: string) => void) {
    this.#patterns = [...patterns];
    this.#warn = warn;
  }

  /** Number of patterns in force, to go back to with {@link restore}. */
  get length(): number {
    return this.#patterns.length;
  }

  restore(length: number): void {
    this.#patterns.length = length;
  }

  /**
   * The children of the directory `fd` that are archived, sorted; takes the directory's `.pxarexclude` into force first.
   * Throws FsError when the directory cannot be read.
   */
  list(fd: number, path: PathBuffer, isRoot: boolean): Child[] {
    const all = readDir(fd);
    const children: Child[] = [];
    if (all.some((child) => compareBytes(child.name, PATTERN_FILE) === 0)) this.#load(fd, path);
    for (const { name, type } of all) {
      if (isRoot && compareBytes(name, CLI_PATTERN_FILE) === 0) continue;
      const child = type === EntryType.UNKNOWN ? this.#withType(fd, name, path) : { name, type: type << 12 };
      if (!child) continue;
      if (this.#patterns.length > 0) {
        const isDirectory = child.type === FileType.Directory;
        if (lastMatch(this.#patterns, path.child(name), isDirectory) === "exclude") continue;
      }
      children.push(child);
    }
    return children.sort((a, b) => compareBytes(a.name, b.name));
  }

  /** For file systems that list names without types. */
  #withType(fd: number, name: Uint8Array, path: PathBuffer): Child | undefined {
    try {
      return { name, type: fstatat(fd, name).mode & FileType.Mask };
    } catch (error) {
      if (!isSkippable(error)) throw error;
      this.#warn(skipMessage(path.child(name), error));
      return undefined;
    }
  }

  #load(fd: number, path: PathBuffer): void {
    const where = path.child(PATTERN_FILE).slice();
    try {
      const file = openat(fd, PATTERN_FILE, OpenFlag.READ | OpenFlag.NOFOLLOW | OpenFlag.NONBLOCK);
      let content: Uint8Array;
      try {
        content = readUpTo(file, MAX_PATTERN_FILE_SIZE);
      } finally {
        close(file);
      }
      const { patterns, problems } = parsePatternFile(content, path.current());
      for (const problem of problems) this.#warn(`${quotePath(where)}: ${problem}`);
      this.#patterns.push(...patterns);
    } catch (error) {
      this.#warn(`exclude patterns of ${quotePath(where)} are not used: ${errorMessage(error)}`);
    }
  }
}

function readUpTo(fd: number, max: number): Uint8Array {
  const content = new Uint8Array(max + 1);
  const length = readFull(fd, content);
  if (length > max) throw new DozoError(`more than ${max} bytes`);
  return content.slice(0, length);
}

const SKIPPABLE = new Map([
  ["ENOENT", "vanished"],
  ["ENOTDIR", "was replaced"],
  ["ELOOP", "was replaced"],
  ["ENXIO", "was replaced"],
  ["EACCES", "access denied"],
  ["ESTALE", "stale file handle"],
]);

/** True for what the kernel says about an entry that vanished, was replaced while walking, or may not be read. */
export function isSkippable(error: unknown): error is FsError {
  return error instanceof FsError && SKIPPABLE.has(error.code);
}

/** The warning for an entry left out because of `error`. */
export function skipMessage(path: Uint8Array, error: FsError): string {
  return `skipped ${quotePath(path)}: ${SKIPPABLE.get(error.code)}`;
}
