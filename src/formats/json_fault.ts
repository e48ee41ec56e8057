/** Where a text stops being JSON, which the runtime's own parser does not always tell. */

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const MAX_DEPTH = 1000;

type Expected = "value" | "value or ]" | "name" | "name or }" | ":" | ", or ]" | ", or }" | "end";

/** Index of the first token of `text` with which it cannot be JSON, its length when it is cut off between tokens. */
export function jsonFault(text: string): number {
  const open: ("[" | "{")[] = [];
  let expected: Expected = "value";
  let at = 0;
  const afterValue = (): Expected => open.length === 0 ? "end" : open.at(-1) === "[" ? ", or ]" : ", or }";
  while (true) {
    at = skip(SPACE, text, at) ?? at;
    const character = text[at];
    if (character === undefined) return at;
    if (expected === "end" || open.length > MAX_DEPTH) return at;
    if (expected.endsWith(character) && "]}:".includes(character)) {
      at++;
      if (character === ":") expected = "value";
      else {
        open.pop();
        expected = afterValue();
      }
    } else if (expected.startsWith(",")) {
      if (character !== ",") return at;
      at++;
      expected = open.at(-1) === "[" ? "value" : "name";
    } else if (expected === ":") {
      return at;
    } else if (expected.startsWith("value") && (character === "[" || character === "{")) {
      at++;
      open.push(character);
      expected = character === "[" ? "value or ]" : "name or }";
    } else {
      const isName = expected.startsWith("name");
      const end = character === '"' ? skipString(text, at) : isName ? undefined : skip(SCALAR, text, at);
      if (end === undefined) return at;
      at = end;
      expected = isName ? ":" : afterValue();
    }
  }
}

/** By hand, because a pattern would need as much stack as the string is long. */
function skipString(text: string, start: number): number | undefined {
  let at = start + 1;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) return undefined;
    if (code !== 0x5c) at++;
    else {
      const end = skip(ESCAPE, text, at);
      if (end === undefined) return undefined;
      at = end;
    }
  }
  return undefined;
}

function skip(pattern: RegExp, text: string, at: number): number | undefined {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : undefined;
}
