/** Property strings: `key=value,key="quoted",…` (`spec/config-files.md` §4). */
import { FormatError } from "../base/errors.ts";

/** Longest property string that is parsed, in characters. */
export const MAX_PROPERTY_STRING_LENGTH = 64 << 10;

/**
 * Parses a property string in the order of its items. A value without key gets `defaultKey`; `keys` are the allowed ones
 * (all when absent). Throws {@link FormatError} on a syntax error, an unknown or a repeated key.
 */
export function parsePropertyString(
  text: string,
  options: { defaultKey?: string; keys?: readonly string[] } = {},
): Map<string, string> {
  if (text.length > MAX_PROPERTY_STRING_LENGTH) {
    throw new FormatError(`property string of ${text.length} characters is too long`);
  }
  const properties = new Map<string, string>();
  let usedDefault = false;
  let at = 0;
  while (text !== "") {
    const start = at;
    const keyed = /[^=,"]+=/y;
    keyed.lastIndex = at;
    let key = keyed.exec(text)?.[0].slice(0, -1);
    if (key !== undefined) {
      at += key.length + 1;
    } else {
      if (options.defaultKey === undefined) {
        throw new FormatError("value without key, but schema does not define a default key", { offset: start });
      }
      if (usedDefault) throw new FormatError("more than one value without key", { offset: start });
      usedDefault = true;
      key = options.defaultKey;
    }
    let value: string;
    [value, at] = text[at] === '"' ? quotedValue(text, at) : bareValue(text, at);
    if (options.keys && !options.keys.includes(key)) {
      throw new FormatError(`'${key}': schema does not allow additional properties`, { offset: start });
    }
    if (properties.has(key)) throw new FormatError(`'${key}': duplicate key`, { offset: start });
    properties.set(key, value);
    if (at === text.length) break;
    if (text[at] !== ",") throw new FormatError("text behind a quoted value", { offset: at });
    at++;
  }
  return properties;
}

function bareValue(text: string, at: number): [string, number] {
  const comma = text.indexOf(",", at);
  const end = comma < 0 ? text.length : comma;
  return [text.slice(at, end), end];
}

function quotedValue(text: string, quote: number): [string, number] {
  let value = "";
  for (let at = quote + 1; at < text.length; at++) {
    const char = text[at];
    if (char === '"') return [value, at + 1];
    if (char !== "\\") {
      value += char;
      continue;
    }
    const escaped = text[++at];
    if (escaped === "n") value += "\n";
    else if (escaped === '"' || escaped === "\\") value += escaped;
    else throw new FormatError("unknown escape in a quoted value", { offset: at });
  }
  throw new FormatError("quoted value without end", { offset: quote });
}

/**
 * The text for `properties` (undefined values are left out), the default key first and without its name.
 * Throws {@link FormatError} for a key that would not be read back.
 */
export function formatPropertyString(
  properties: Iterable<readonly [string, string | number | boolean | undefined]>,
  options: { defaultKey?: string } = {},
): string {
  const items: string[] = [];
  for (const [key, value] of properties) {
    if (value === undefined) continue;
    if (!/^[^=,"]+$/.test(key)) throw new FormatError(`invalid key '${key}' in a property string`);
    const text = String(value);
    const isDefault = key === options.defaultKey;
    // A bare value of the default key would be taken for `key=value` when it has a `=`; an empty one would vanish.
    const needsQuotes = /[,"\n]|^ | $/.test(text) || (isDefault && (text === "" || text.includes("=")));
    const shown = needsQuotes ? `"${text.replaceAll(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"` : text;
    if (isDefault) items.unshift(shown);
    else items.push(`${key}=${shown}`);
  }
  return items.join(",");
}

/** Elements of a list: separated by `,`, `;` or white space, empty ones dropped. */
export function parseList(text: string): string[] {
  return text.split(/[,;\s]+/).filter((element) => element !== "");
}
