/** `shadow.json` and `token.shadow`: one JSON object from name to password hash (`spec/auth.md` §6 and §7.1). */
import { DozoError } from "../base/errors.ts";

/** Parses the object. Throws {@link DozoError} with the file's name; hashes never appear in the message. */
export function parseHashes(text: string, file: string): Map<string, string> {
  if (text.trim() === "") return new Map();
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new DozoError(`unable to parse '${file}': it is not JSON`);
  }
  const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : null;
  if (!entries?.every((entry): entry is [string, string] => typeof entry[1] === "string")) {
    throw new DozoError(`unable to parse '${file}': an object of text values is expected`);
  }
  return new Map(entries);
}

/** The text of a hash file, indented by `indent` blanks (0: on one line). */
export function formatHashes(hashes: ReadonlyMap<string, string>, indent: number): string {
  return JSON.stringify(Object.fromEntries(hashes), null, indent);
}
