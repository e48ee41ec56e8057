/** Exclude and match patterns for paths (`spec/pxar.md` §11): bytes, case-sensitive, the last match decides. */
import { FormatError } from "../base/errors.ts";

/** What a matching pattern does with an entry. */
export type MatchKind = "exclude" | "include";

/** A compiled pattern. */
export interface Pattern {
  readonly kind: MatchKind;
  /** The pattern without `!` and trailing slashes. */
  readonly text: Uint8Array;
  /** Only the whole path may match. */
  readonly anchored: boolean;
  /** Only directories match. */
  readonly directoriesOnly: boolean;
  /** True when the glob matches all of `path` (bytes `from` to the end). */
  matches(path: Uint8Array, from?: number): boolean;
}

/** Longest pattern in bytes; longest pattern file that is read. */
export const MAX_PATTERN_LENGTH = 4096;
export const MAX_PATTERN_FILE_SIZE = 1 << 20;

/**
 * A pattern as given on the command line: a leading `!` turns `kind` round, a trailing `/` restricts it to directories.
 * Throws {@link FormatError} on a syntax error.
 */
export function parsePattern(
  _text: Uint8Array | string,
  _options: { kind?: MatchKind; anchored?: boolean } = {},
): Pattern {
  throw new FormatError("being written");
}

/** Patterns of a `.pxarexclude` file in `directory` (`/` or `/a/b`, from the archive's root); lines that do not parse are reported. */
export function parsePatternFile(
  _content: Uint8Array,
  _directory: Uint8Array | string,
): { patterns: Pattern[]; problems: string[] } {
  throw new FormatError("being written");
}

/** Kind of the last pattern in the list that matches `path` (`/a/b/c`), undefined when none does. */
export function lastMatch(
  _patterns: readonly Pattern[],
  _path: Uint8Array,
  _isDirectory: boolean | (() => boolean),
): MatchKind | undefined {
  throw new FormatError("being written");
}
