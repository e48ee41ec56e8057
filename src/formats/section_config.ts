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

/** Longest configuration file that is read, in characters. */
export const MAX_CONFIG_SIZE = 16 << 20;

const HEADER = /^([A-Za-z][^\s:]*)[ \t]*:[ \t]*(\S(?:.*\S)?)[ \t]*$/s;
const PROPERTY = /^[ \t]+([^\s]+)[ \t]+(.*)$/s;
const BLANK = /^\s*$/;
// deno-lint-ignore no-control-regex
const CONTROL = /[\x00-\x1f\x7f]/;

/**
 * Parses a file. `rules` per section type; without it every type, key and repetition is accepted (foreign files).
 * A section that comes twice replaces the first at its place. Throws {@link FormatError} naming the line.
 */
export function parseSectionConfig(
  text: string,
  rules?: Readonly<Record<string, SectionRules>>,
): ConfigSection[] {
  if (text.length > MAX_CONFIG_SIZE) throw new FormatError(`configuration of ${text.length} characters is too long`);
  const sections = new Map<string, ConfigSection>();
  let properties: Map<string, string[]> | undefined;
  let rule: SectionRules | undefined;
  let number = 0;
  for (const rawLine of text.split("\n")) {
    number++;
    const line = rawLine.endsWith("\r") ? rawLine.slice(0, -1) : rawLine;
    if (BLANK.test(line)) {
      properties = undefined;
      continue;
    }
    if (properties === undefined) {
      const header = HEADER.exec(line);
      if (!header) throw new FormatError(`line ${number} - syntax error (expected header)`);
      const [, type, id] = header;
      rule = rules && Object.hasOwn(rules, type) ? rules[type] : undefined;
      if (rules && !rule) throw new FormatError(`line ${number} - unknown section type '${type}'`);
      const problem = rule?.idProblem?.(id);
      if (problem) throw new FormatError(`line ${number} - syntax error in section identifier: ${problem}`);
      properties = new Map();
      sections.set(`${type}:${id}`, { type, id, properties });
      continue;
    }
    const property = PROPERTY.exec(line);
    if (!property) throw new FormatError(`line ${number} - syntax error (expected section properties)`);
    const [, key, value] = property;
    if (CONTROL.test(value.trim())) throw new FormatError(`line ${number} - control character in property '${key}'`);
    const kind = rule && (Object.hasOwn(rule.keys, key) ? rule.keys[key] : undefined);
    if (rule && !kind) throw new FormatError(`line ${number} - unknown property '${key}'`);
    const earlier = properties.get(key);
    if (!earlier) properties.set(key, [value.trim()]);
    else if (kind === "one") throw new FormatError(`line ${number} - duplicate property '${key}'`);
    else earlier.push(value.trim());
  }
  return [...sections.values()];
}

/**
 * The text of a file: tab-indented keys in alphabetical order, a blank line between sections.
 * Throws {@link FormatError} for a type, id, key or value that would not be read back.
 */
export function formatSectionConfig(sections: Iterable<ConfigSection>): string {
  const texts: string[] = [];
  for (const { type, id, properties } of sections) {
    const header = `${type}: ${id}`;
    const parsed = HEADER.exec(header);
    if (CONTROL.test(header) || parsed?.[1] !== type || parsed[2] !== id) {
      throw new FormatError(`cannot write section '${header}': not a valid header`);
    }
    let text = `${header}\n`;
    for (const key of [...properties.keys()].sort()) {
      if (!/^[^\s]+$/.test(key)) throw new FormatError(`cannot write property '${key}' of section '${header}'`);
      for (const value of properties.get(key) ?? []) {
        if (CONTROL.test(value) || value !== value.trim()) {
          throw new FormatError(
            `cannot write property '${key}' of section '${header}': control characters and outer blanks are not allowed`,
          );
        }
        text += `\t${key} ${value}\n`;
      }
    }
    texts.push(text);
  }
  return texts.join("\n");
}
