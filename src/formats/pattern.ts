/** Exclude and match patterns for paths (`spec/pxar.md` §11): bytes, case-sensitive, the last match decides. */
import { concatBytes } from "../base/bytes.ts";
import { errorMessage, FormatError } from "../base/errors.ts";
import { compileGlob, type Glob, matchGlob } from "./glob.ts";

/** What a matching pattern does with an entry. */
export type MatchKind = "exclude" | "include";

/** Longest pattern in bytes; longest pattern file that is read. */
export const MAX_PATTERN_LENGTH = 4096;
export const MAX_PATTERN_FILE_SIZE = 1 << 20;

const SLASH = 0x2f;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A compiled pattern. Paths to test have the form `/a/b/c`. */
export class Pattern {
  readonly #glob: Glob;
  readonly #floating: boolean;

  /** Throws {@link FormatError} on a syntax error. Use {@link parsePattern} for the `!` and `/` of command lines. */
  constructor(
    readonly kind: MatchKind,
    /** The pattern without `!` and trailing slashes. */
    readonly text: Uint8Array,
    /** Only directories match. */
    readonly directoriesOnly: boolean,
    /** Only the whole path may match. */
    readonly anchored: boolean,
  ) {
    if (text.length === 0) throw new FormatError("pattern is empty");
    if (text.length > MAX_PATTERN_LENGTH) throw new FormatError(`pattern is longer than ${MAX_PATTERN_LENGTH} bytes`);
    this.#glob = compileGlob(text);
    // What follows a slash never begins with one.
    this.#floating = !anchored && text[0] !== SLASH;
  }

  /** True when the pattern matches `path` (whose type the caller compares with {@link directoriesOnly}). */
  matches(path: Uint8Array): boolean {
    return matchGlob(this.#glob, path, { floating: this.#floating });
  }

  /** False when nothing below `directory` (`/a/b`, or empty for the root) can match: it need not be searched. */
  canMatchBelow(directory: Uint8Array): boolean {
    if (this.#floating) return true;
    return matchGlob(this.#glob, concatBytes(directory, Uint8Array.of(SLASH)), { floating: false, prefix: true });
  }
}

/**
 * A pattern as given on the command line: a leading `!` turns `kind` (default exclude) round, a trailing `/` restricts it to
 * directories. Throws {@link FormatError} on a syntax error.
 */
export function parsePattern(
  text: Uint8Array | string,
  options: { kind?: MatchKind; anchored?: boolean } = {},
): Pattern {
  let bytes = typeof text === "string" ? encoder.encode(text) : text.slice();
  let kind = options.kind ?? "exclude";
  if (bytes[0] === 0x21) {
    kind = kind === "exclude" ? "include" : "exclude";
    bytes = bytes.subarray(1);
  }
  const end = endWithoutSlashes(bytes);
  try {
    return new Pattern(kind, bytes.subarray(0, end), end < bytes.length, options.anchored ?? false);
  } catch (cause) {
    const shown = typeof text === "string" ? text : decoder.decode(text);
    throw new FormatError(`invalid pattern '${shown.slice(0, 200)}': ${errorMessage(cause)}`, { cause });
  }
}

/**
 * Patterns of a `.pxarexclude` file in `directory` (`/a/b` from the archive's root; empty or `/` for the root itself). Lines
 * that are no pattern are reported with their number. Throws {@link FormatError} when the file is longer than 1 MiB.
 */
export function parsePatternFile(
  content: Uint8Array,
  directory: Uint8Array | string,
): { patterns: Pattern[]; problems: string[] } {
  if (content.length > MAX_PATTERN_FILE_SIZE) {
    throw new FormatError(`pattern file of ${content.length} bytes is longer than ${MAX_PATTERN_FILE_SIZE}`);
  }
  const base = typeof directory === "string" ? encoder.encode(directory) : directory;
  const patterns: Pattern[] = [];
  const problems: string[] = [];
  let number = 0;
  for (let start = 0; start < content.length;) {
    const newline = content.indexOf(0x0a, start);
    const end = newline < 0 ? content.length : newline;
    const line = trimmed(content.subarray(start, end));
    start = end + 1;
    number++;
    if (line.length === 0 || line[0] === 0x23) continue;
    try {
      patterns.push(filePattern(line, base));
    } catch (error) {
      problems.push(`line ${number}: ${errorMessage(error)}`);
    }
  }
  return { patterns, problems };
}

function filePattern(line: Uint8Array, directory: Uint8Array): Pattern {
  const include = line[0] === 0x21;
  const pattern = normalized(include ? line.subarray(1) : line);
  const anchored = pattern[0] === SLASH;
  const end = endWithoutSlashes(pattern);
  let text = pattern.subarray(0, end);
  if (text.length > 0 && anchored) {
    text = concatBytes(escaped(directory.subarray(0, endWithoutSlashes(directory))), text);
  }
  return new Pattern(include ? "include" : "exclude", text, end < pattern.length, anchored);
}

/** Bytes that mean something in a pattern, written so that they stand for themselves. */
function escaped(path: Uint8Array): Uint8Array {
  const bytes: number[] = [];
  for (const byte of path) {
    if (byte === 0x2a || byte === 0x3f || byte === 0x5b || byte === 0x5c) bytes.push(0x5c);
    bytes.push(byte);
  }
  return Uint8Array.from(bytes);
}

/** Without double slashes and `.`, with `a/..` resolved; a leading and a trailing slash stay. */
function normalized(pattern: Uint8Array): Uint8Array {
  const text = String.fromCharCode(...pattern.subarray(0, MAX_PATTERN_LENGTH + 1));
  const parts: string[] = [];
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") parts.push(part);
    else if (parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (!text.startsWith("/")) parts.push(part);
  }
  const joined = (text.startsWith("/") ? "/" : "") + parts.join("/") +
    (text.endsWith("/") && parts.length > 0 ? "/" : "");
  return Uint8Array.from(joined, (char) => char.charCodeAt(0));
}

function trimmed(line: Uint8Array): Uint8Array {
  const isSpace = (byte: number) => byte === 0x20 || (byte >= 0x09 && byte <= 0x0d);
  let start = 0;
  let end = line.length;
  while (start < end && isSpace(line[start])) start++;
  while (end > start && isSpace(line[end - 1])) end--;
  return line.subarray(start, end);
}

function endWithoutSlashes(bytes: Uint8Array): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === SLASH) end--;
  return end;
}

/**
 * Kind of the last pattern in the list that matches `path` (`/a/b/c`), undefined when none does. `isDirectory` may be a
 * function where finding out costs something: it is called only when a pattern depends on it.
 */
export function lastMatch(
  patterns: readonly Pattern[],
  path: Uint8Array,
  isDirectory: boolean | (() => boolean),
): MatchKind | undefined {
  let directory = typeof isDirectory === "boolean" ? isDirectory : undefined;
  for (let i = patterns.length - 1; i >= 0; i--) {
    const pattern = patterns[i];
    if (!pattern.matches(path)) continue;
    if (pattern.directoriesOnly) directory ??= (isDirectory as () => boolean)();
    if (!pattern.directoriesOnly || directory) return pattern.kind;
  }
}
