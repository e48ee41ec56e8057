/** Regular expressions in the syntax of Rust's `regex` crate, which PBS users write: the parsed form. */
import { FormatError } from "../../base/errors.ts";
import { CharacterSet, type SetOptions } from "./character_set.ts";

/** A parsed expression. Whether repetitions are greedy is left out: it does not change whether a text matches. */
export type Node =
  | { readonly kind: "character"; readonly set: CharacterSet }
  | { readonly kind: "assertion"; readonly holds: (before: string | undefined, after: string | undefined) => boolean }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly choices: readonly Node[] }
  | { readonly kind: "repetition"; readonly part: Node; readonly min: number; readonly max: number };

/** Longest expression, in characters. */
export const MAX_REGEX_LENGTH = 4096;
/** Deepest nesting of brackets. */
const MAX_DEPTH = 100;
/** Largest count in `{n,m}`. */
const MAX_COUNT = 1000;

interface Flags extends SetOptions {
  /** `m`: `^` and `$` also match at lines. */
  readonly lines: boolean;
}

const isWord = new CharacterSet(String.raw`[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]`);

/** Parses an expression. Throws {@link FormatError}, also for look-around and back references, which that syntax lacks. */
export function parseRegex(text: string): Node {
  if (text.length > MAX_REGEX_LENGTH) {
    throw new FormatError(`regular expression of ${text.length} characters is too long`);
  }
  const parser = new Parser(text);
  const node = parser.choice({ ignoreCase: false, dotAll: false, lines: false }, 0);
  if (!parser.atEnd) throw parser.failed("unopened group");
  return node;
}

class Parser {
  #at = 0;

  constructor(readonly text: string) {}

  get atEnd(): boolean {
    return this.#at === this.text.length;
  }

  failed(what: string): FormatError {
    return new FormatError(`regex parse error in '${this.text.slice(0, 200)}': ${what}`, { offset: this.#at });
  }

  choice(flags: Flags, depth: number): Node {
    if (depth > MAX_DEPTH) throw this.failed("nested too deeply");
    const choices: Node[] = [];
    let parts: Node[] = [];
    while (!this.atEnd && this.text[this.#at] !== ")") {
      if (this.#take("|")) {
        choices.push({ kind: "sequence", parts });
        parts = [];
        continue;
      }
      const inline = /\(\?([a-z]*)(?:-([a-z]+))?\)/iy;
      inline.lastIndex = this.#at;
      const match = inline.exec(this.text);
      if (match) {
        flags = this.#withFlags(flags, match[1], match[2]);
        this.#at += match[0].length;
        continue;
      }
      parts.push(this.#repeated(this.#atom(flags, depth)));
    }
    choices.push({ kind: "sequence", parts });
    return choices.length === 1 ? choices[0] : { kind: "choice", choices };
  }

  #atom(flags: Flags, depth: number): Node {
    if (this.#take("(")) return this.#group(flags, depth);
    if (this.text[this.#at] === "[" || this.text[this.#at] === ".") return this.#set(flags);
    if (this.#take("^")) return assertion((before) => before === undefined || (flags.lines && before === "\n"));
    if (this.#take("$")) return assertion((_, after) => after === undefined || (flags.lines && after === "\n"));
    if ("*+?{".includes(this.text[this.#at])) throw this.failed("repetition operator missing expression");
    if (this.#take("\\A")) return assertion((before) => before === undefined);
    if (this.#take("\\z")) return assertion((_, after) => after === undefined);
    if (this.#take("\\b")) return assertion((before, after) => isWordBoundary(before, after));
    if (this.#take("\\B")) return assertion((before, after) => !isWordBoundary(before, after));
    return this.#set(flags);
  }

  #group(flags: Flags, depth: number): Node {
    const head = /\?(?:P?<[A-Za-z_][A-Za-z0-9_.[\]]*>|([a-z]*)(?:-([a-z]+))?:)/iy;
    head.lastIndex = this.#at;
    const match = head.exec(this.text);
    if (match) {
      if (match[1] !== undefined) flags = this.#withFlags(flags, match[1], match[2]);
      this.#at += match[0].length;
    } else if (this.text[this.#at] === "?") {
      throw this.failed("unrecognized flag, or look-around, which is not supported");
    }
    const node = this.choice(flags, depth + 1);
    if (!this.#take(")")) throw this.failed("unclosed group");
    return node;
  }

  #set(flags: Flags): Node {
    const { set, end } = CharacterSet.read(this.text, this.#at, flags, (at, what) => {
      this.#at = at;
      return this.failed(what);
    });
    this.#at = end;
    return { kind: "character", set };
  }

  #repeated(part: Node): Node {
    for (;;) {
      const operator = /(?:([*+?])|\{ *(\d+) *(,? *)(\d*) *\})\??/y;
      operator.lastIndex = this.#at;
      const match = operator.exec(this.text);
      if (!match) {
        if (this.text[this.#at] === "{") throw this.failed("repetition quantifier expects a valid decimal");
        return part;
      }
      const [all, sign, low, comma, high] = match;
      let min = sign === "+" ? 1 : 0;
      let max = sign === "?" ? 1 : Infinity;
      if (sign === undefined) {
        min = Number(low);
        max = high !== "" ? Number(high) : comma.startsWith(",") ? Infinity : min;
        if (high !== "" && !comma.startsWith(",")) throw this.failed("repetition quantifier expects a valid decimal");
        if (min > MAX_COUNT || (max > MAX_COUNT && max !== Infinity)) {
          throw this.failed("repetition count is too large");
        }
        if (max < min) throw this.failed("invalid repetition count range");
      }
      this.#at += all.length;
      part = { kind: "repetition", part, min, max };
    }
  }

  #withFlags(flags: Flags, on: string, off = ""): Flags {
    const names: Record<string, Partial<Flags>> = { i: { ignoreCase: true }, s: { dotAll: true }, m: { lines: true } };
    let changed = flags;
    for (const [letters, value] of [[on, true], [off, false]] as const) {
      for (const letter of letters) {
        // Unicode is always on, and greediness does not matter here.
        if (letter === "U" || (letter === "u" && value)) continue;
        const known = Object.hasOwn(names, letter) ? names[letter] : undefined;
        if (!known) throw this.failed(`flag '${letter}' is not supported`);
        changed = { ...changed, ...Object.fromEntries(Object.keys(known).map((key) => [key, value])) };
      }
    }
    return changed;
  }

  #take(literal: string): boolean {
    if (!this.text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }
}

function assertion(holds: (before: string | undefined, after: string | undefined) => boolean): Node {
  return { kind: "assertion", holds };
}

function isWordBoundary(before: string | undefined, after: string | undefined): boolean {
  return (before !== undefined && isWord.has(before)) !== (after !== undefined && isWord.has(after));
}
