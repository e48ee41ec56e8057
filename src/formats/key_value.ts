/** Files of `key: value` lines below a description, the grammar of `node.cfg` (`spec/config-files.md` §3). */
import { FormatError } from "../base/errors.ts";
import { MAX_CONFIG_SIZE } from "./section_config.ts";

/** The content of a file. */
export interface KeyValueConfig {
  /** Text of the `#` lines at the top, each with its line end; absent when there is none. */
  readonly description?: string;
  readonly values: ReadonlyMap<string, string>;
}

// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x08\x0a-\x1f\x7f]/;

/**
 * Parses a file. `keys`: those that are allowed, all when absent. The last of several lines for a key wins.
 * Throws {@link FormatError} naming the line, counted from 0 as PBS does.
 */
export function parseKeyValueConfig(text: string, keys?: ReadonlySet<string>): KeyValueConfig {
  if (text.length > MAX_CONFIG_SIZE) throw new FormatError(`configuration of ${text.length} characters is too long`);
  const lines = text.split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  const first = lines.findIndex((line) => !line.startsWith("#"));
  const described = first < 0 ? lines.length : first;
  const values = new Map<string, string>();
  lines.slice(described).forEach((line, index) => {
    const content = line.trim();
    if (content === "" || content.startsWith("#")) return;
    const failed = (what: string) => new FormatError(`line ${described + index}: ${what}`);
    const colon = content.indexOf(":");
    if (colon < 0) throw failed("missing colon to separate key from value");
    const key = content.slice(0, colon).trim();
    const value = content.slice(colon + 1).trim();
    if (keys && !keys.has(key)) throw failed(`invalid key '${key}' and schema does not allow additional properties`);
    if (key === "" || /[\s#]/.test(key)) throw failed(`invalid key '${key}'`);
    if (value === "") throw failed(`value of '${key}' must not be empty`);
    if (CONTROL.test(value)) throw failed(`control character in the value of '${key}'`);
    values.set(key, value);
  });
  if (described === 0) return { values };
  return { description: lines.slice(0, described).map((line) => `${line.slice(1)}\n`).join(""), values };
}

/**
 * The text of a file: the description, then the keys in alphabetical order. An empty description is none.
 * Throws {@link FormatError} for a key or value that would not be read back.
 */
export function formatKeyValueConfig({ description, values }: KeyValueConfig): string {
  let text = "";
  if (description) {
    for (const line of description.replace(/\n$/, "").split("\n")) text += `#${line}\n`;
  }
  for (const key of [...values.keys()].sort()) {
    const value = values.get(key)!;
    if (!/^[^\s:#]+$/.test(key) || value === "" || value !== value.trim() || CONTROL.test(value)) {
      throw new FormatError(
        `cannot write '${key}': keys have no blanks, ':' or '#', values are one line and not empty`,
      );
    }
    text += `${key}: ${value}\n`;
  }
  return text;
}
