/** Section configuration files: `type: id`, then indented `key value` lines (`spec/config-files.md` §2). */
import { FormatError } from "../base/errors.ts";

/** One section. Values of a key that may repeat are in file order; the other keys have one value. */
export interface ConfigSection {
  readonly type: string;
  readonly id: string;
  readonly properties: ReadonlyMap<string, readonly string[]>;
}

/** What a section type allows: `"one"` for a single value, `"list"` for a key that may repeat. */
export interface SectionRules {
  readonly keys: Readonly<Record<string, "one" | "list">>;
  /** Why an id is not acceptable, or undefined when it is. */
  readonly idProblem?: (id: string) => string | undefined;
}

/** Longest configuration file that is read, in bytes. */
export const MAX_CONFIG_SIZE = 16 << 20;

/**
 * Parses a file. `rules` per section type; without it every type, key and repetition is accepted (foreign files).
 * A section that comes twice replaces the first at its place. Throws {@link FormatError} naming the line.
 */
export function parseSectionConfig(
  _text: string,
  _rules?: Readonly<Record<string, SectionRules>>,
): ConfigSection[] {
  throw new FormatError("being written");
}

/** The text of a file: tab-indented keys in alphabetical order, a blank line between sections. Throws {@link FormatError} on control characters. */
export function formatSectionConfig(_sections: Iterable<ConfigSection>): string {
  throw new FormatError("being written");
}
