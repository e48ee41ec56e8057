/** Lists a directory for the archiver: exclude patterns applied, in byte order (`spec/pxar.md` §10, §11). */
import { bytesEqual } from "../base/bytes.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import { lastMatch, MAX_PATTERN_FILE_SIZE, parsePatternFile, type Pattern } from "../formats/pattern.ts";
import { FileType } from "../formats/pxar/mod.ts";
import {
  close,
  type DirectoryEntry,
  EntryType,
  FsError,
  fstatat,
  fstatatOrNull,
  openat,
  OpenFlag,
  readDirSome,
  readFull,
} from "../native/fs.ts";
import { ChildList } from "./child_list.ts";
import { type PathBuffer, quotePath } from "./path.ts";

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
   * The children of the directory `fd` that are archived, in byte order; takes the directory's `.pxarexclude` into force
   * first. Gives up (with more than `max` children) where there are too many. Throws FsError when it cannot be read.
   */
  list(fd: number, path: PathBuffer, isRoot: boolean, max: number): ChildList {
    this.#load(fd, path);
    const children = new ChildList();
    const batch: DirectoryEntry[] = [];
    for (let more = true; more && children.length <= max;) {
      batch.length = 0;
      more = readDirSome(fd, batch);
      for (const { name, type } of batch) this.#add(children, fd, path, isRoot, name, type);
    }
    return children.sort();
  }

  #add(children: ChildList, fd: number, path: PathBuffer, isRoot: boolean, name: Uint8Array, type: number): void {
    if (isRoot && bytesEqual(name, CLI_PATTERN_FILE)) return;
    const known = type === EntryType.UNKNOWN ? this.#typeOf(fd, name, path) : type;
    if (known === EntryType.UNKNOWN) return;
    if (this.#patterns.length > 0) {
      if (lastMatch(this.#patterns, path.child(name), known === EntryType.DIRECTORY) === "exclude") return;
    }
    children.add(name, known);
  }

  /** For file systems that list names without types; `UNKNOWN` for an entry that is left out. */
  #typeOf(fd: number, name: Uint8Array, path: PathBuffer): number {
    try {
      return (fstatat(fd, name).mode & FileType.Mask) >> 12;
    } catch (error) {
      if (!isSkippable(error)) throw error;
      this.#warn(skipMessage(path.child(name), error));
      return EntryType.UNKNOWN;
    }
  }

  #load(fd: number, path: PathBuffer): void {
    if (!fstatatOrNull(fd, PATTERN_FILE)) return;
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
