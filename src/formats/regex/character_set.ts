/** What one character of a regular expression may be: `.`, a literal, an escape or a class in square brackets. */
import type { FormatError } from "../../base/errors.ts";

/** Flags that change what a set holds. */
export interface SetOptions {
  readonly ignoreCase?: boolean;
  /** `s`: `.` also means a line break. */
  readonly dotAll?: boolean;
}

type Fail = (at: number, what: string) => FormatError;

/** Class escapes, as parts of a class of the runtime. */
const CLASSES: Readonly<Record<string, string>> = {
  d: String.raw`\p{Nd}`,
  w: String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`,
  s: String.raw`\p{White_Space}`,
};

const POSIX: Readonly<Record<string, string>> = {
  alnum: "0-9A-Za-z",
  alpha: "A-Za-z",
  ascii: String.raw`\x00-\x7f`,
  blank: String.raw`\t\x20`,
  cntrl: String.raw`\x00-\x1f\x7f`,
  digit: "0-9",
  graph: String.raw`\x21-\x7e`,
  lower: "a-z",
  print: String.raw`\x20-\x7e`,
  punct: String.raw`\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e`,
  space: String.raw`\t\n\x0b\f\r\x20`,
  upper: "A-Z",
  word: "0-9A-Za-z_",
  xdigit: "0-9A-Fa-f",
};

const CONTROLS: Readonly<Record<string, number>> = { a: 7, f: 12, n: 10, r: 13, t: 9, v: 11 };

/** A set of characters. Only single characters are ever put to the runtime's engine, so it cannot be made to search long. */
export class CharacterSet {
  readonly #pattern: RegExp;

  /** `source`: one class or character of the runtime's own syntax with the `v` flag. Throws SyntaxError. */
  constructor(source: string, { ignoreCase = false, dotAll = false }: SetOptions = {}) {
    this.#pattern = new RegExp(`^${source}$`, `v${ignoreCase ? "i" : ""}${dotAll ? "s" : ""}`);
  }

  /** True for one of the characters (a whole code point). */
  has(character: string): boolean {
    return this.#pattern.test(character);
  }

  /** Reads what stands at `at`; returns where it ends. `fail` makes the error for an unknown or unfinished form. */
  static read(text: string, at: number, options: SetOptions, fail: Fail): { set: CharacterSet; end: number } {
    const reader = new SetReader(text, at, fail);
    // A dot stands for itself in a class only.
    const source = reader.take(".") ? "." : text[at] === "[" ? reader.readClass(0) : `[${reader.item().source}]`;
    try {
      return { set: new CharacterSet(source, options), end: reader.at };
    } catch {
      throw fail(at, "unknown character class");
    }
  }
}

/** One literal character, or a class of several. */
interface Item {
  readonly source: string;
  readonly code?: number;
}

class SetReader {
  constructor(readonly text: string, public at: number, readonly fail: Fail) {}

  take(literal: string): boolean {
    if (!this.text.startsWith(literal, this.at)) return false;
    this.at += literal.length;
    return true;
  }

  /** `[…]`, perhaps nested. */
  readClass(depth: number): string {
    if (depth > 20) throw this.fail(this.at, "nested too deeply");
    this.at++;
    let source = this.take("^") ? "[^" : "[";
    for (let first = true;; first = false) {
      if (this.at >= this.text.length) throw this.fail(this.at, "unclosed character class");
      if (!first && this.take("]")) return `${source}]`;
      if (/^(&&|--|~~)/.test(this.text.slice(this.at, this.at + 2))) {
        throw this.fail(this.at, "set operations are not supported");
      }
      const posix = /\[:(\^?)([a-z]+):\]/y;
      posix.lastIndex = this.at;
      const match = posix.exec(this.text);
      if (match && Object.hasOwn(POSIX, match[2])) {
        this.at += match[0].length;
        source += `[${match[1]}${POSIX[match[2]]}]`;
      } else if (this.text[this.at] === "[") {
        source += this.readClass(depth + 1);
      } else {
        source += this.#range();
      }
    }
  }

  #range(): string {
    const from = this.item();
    if (this.text[this.at] !== "-" || this.text[this.at + 1] === "]") return from.source;
    this.at++;
    const to = this.item();
    if (from.code === undefined || to.code === undefined || to.code < from.code) {
      throw this.fail(this.at, "invalid character class range");
    }
    return `${from.source}-${to.source}`;
  }

  /** A literal or escaped character, or a class escape. */
  item(): Item {
    const character = String.fromCodePoint(this.text.codePointAt(this.at) ?? 0);
    this.at += character.length;
    return character === "\\" ? this.#escape() : literal(character.codePointAt(0)!);
  }

  #escape(): Item {
    const escape =
      /([dwsDWS])|([pP])(?:\{(\^?)([A-Za-z_=]+)\}|([A-Z]))|([afnrtv])|[xuU](?:\{([0-9A-Fa-f]{1,8})\})|(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8}))|([\x21-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e ])/y;
    escape.lastIndex = this.at;
    const match = escape.exec(this.text);
    if (!match) throw this.fail(this.at, "unrecognized escape sequence");
    this.at += match[0].length;
    const [, perl, property, inverted, name, shortName, control, ...rest] = match;
    if (perl) return { source: `[${perl === perl.toLowerCase() ? "" : "^"}${CLASSES[perl.toLowerCase()]}]` };
    if (property) {
      const negated = (property === "P") !== (inverted === "^");
      return { source: `\\${negated ? "P" : "p"}{${name ?? shortName}}` };
    }
    if (control) return literal(CONTROLS[control]);
    const punctuation = rest.pop();
    if (punctuation) return literal(punctuation.codePointAt(0)!);
    const code = parseInt(rest.find((digits) => digits !== undefined)!, 16);
    if (code > 0x10ffff) throw this.fail(this.at, "there is no such character");
    return literal(code);
  }
}

function literal(code: number): Item {
  return { source: `\\u{${code.toString(16)}}`, code };
}
