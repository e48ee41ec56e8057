/** Property strings: `key=value,key="quoted",…` (`spec/config-files.md` §4). */
import { FormatError } from "../base/errors.ts";

/** Longest property string that is parsed, in characters. */
export const MAX_PROPERTY_STRING_LENGTH = 64 << 10;

/**
 * Parses a property string in the order of its items. A value without key gets `defaultKey`; `keys` are the allowed ones
 * (all when absent). Throws {@link FormatError} on a syntax error, an unknown or a repeated key.
 */
export function parsePropertyString(
  _text: string,
  _options: { defaultKey?: string; keys?: readonly string[] } = {},
): Map<string, string> {
  throw new FormatError("being written");
}

/** The text for `properties` (absent values are left out), the default key first and without its name. */
export function formatPropertyString(
  _properties: Iterable<readonly [string, string | number | boolean | undefined]>,
  _options: { defaultKey?: string } = {},
): string {
  throw new FormatError("being written");
}

/** Elements of a list: separated by `,`, `;` or white space, empty ones dropped. */
export function parseList(text: string): string[] {
  return text.split(/[,;\s]+/).filter((element) => element !== "");
}
