/** JSON with members in a fixed order: the canonical form that is signed, and the pretty form that is stored. */
import { compareBytes } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { jsonFault } from "./json_fault.ts";

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;
/** A JSON object. */
export interface JsonObject {
  [name: string]: JsonValue;
}

/** Deepest nesting of arrays and objects that is accepted. */
const MAX_DEPTH = 100;

const encoder = new TextEncoder();

/** True for an object that is neither null nor an array. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Parses one JSON object of at most `maxSize` bytes of UTF-8. `what` names it in errors. Throws {@link FormatError} for
 * invalid UTF-8 or JSON, another type at the top, or nesting deeper than 100.
 */
export function parseJsonObject(text: Uint8Array | string, what: string, maxSize: number): JsonObject {
  if (text.length > maxSize) throw new FormatError(`${what} is larger than ${maxSize} bytes`, { offset: maxSize });
  const value = parseJson(typeof text === "string" ? text : decodeUtf8(text, what), what);
  if (!isJsonObject(value)) throw new FormatError(`${what} is not a JSON object`, { offset: 0 });
  checkDepth(value, what);
  return value;
}

/**
 * The canonical form (`spec/manifest-and-crypto.md` §1.3): no white space, members sorted by the UTF-8 bytes of their
 * names. Throws {@link FormatError} for null, a number that is no exact integer, and text that is not valid Unicode.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null) throw new FormatError("canonical JSON cannot hold null");
  if (typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    if (!Number.isSafeInteger(value)) throw new FormatError(`canonical JSON cannot hold the number ${value}`);
    return value === 0 ? "0" : String(value);
  }
  if (typeof value === "string") return jsonString(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  return `{${sortedNames(value).map((name) => `${jsonString(name)}:${canonicalJson(value[name])}`).join(",")}}`;
}

/** Readable form with two spaces per level and sorted members, as manifests are stored. */
export function prettyJson(value: JsonValue, indent = ""): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((item) => inner + prettyJson(item, inner))
    : sortedNames(value).map((name) => `${inner}${JSON.stringify(name)}: ${prettyJson(value[name], inner)}`);
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return lines.length === 0 ? open + close : `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}

function jsonString(text: string): string {
  if (!text.isWellFormed()) throw new FormatError("canonical JSON cannot hold text that is not valid Unicode");
  return JSON.stringify(text);
}

function sortedNames(object: JsonObject): string[] {
  const ascii = Object.keys(object);
  if (ascii.every((name) => /^[\x20-\x7e]*$/.test(name))) return ascii.sort();
  return ascii.map((name) => ({ name, bytes: encoder.encode(name) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes))
    .map(({ name }) => name);
}

function decodeUtf8(bytes: Uint8Array, what: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`${what} is not valid UTF-8`, { cause });
  }
}

function parseJson(text: string, what: string): JsonValue {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const offset = encoder.encode(text.slice(0, jsonFault(text))).length;
    throw new FormatError(`${what} is not valid JSON`, { offset, cause });
  }
}

/** Walks level by level, so that hostile nesting cannot exhaust the stack. */
function checkDepth(root: JsonValue, what: string): void {
  let level: JsonValue[] = [root];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new FormatError(`${what} is nested too deeply`);
    const next: JsonValue[] = [];
    for (const value of level) {
      if (typeof value !== "object" || value === null) continue;
      for (const child of Array.isArray(value) ? value : Object.values(value)) next.push(child);
    }
    level = next;
  }
}
