/** Glob matching on bytes (`spec/pxar.md` §11.4), in time proportional to pattern × path whatever the pattern. */
import { FormatError } from "../base/errors.ts";

const SLASH = 0x2f;
const STAR = 0x2a;
const QUESTION = 0x3f;
const OPEN = 0x5b;
const CLOSE = 0x5d;
const CARET = 0x5e;
const DASH = 0x2d;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/** Token kinds; values 0 to 255 stand for the byte itself. */
const ANY = 256;
const ANY_IN_COMPONENT = 257;
const ANY_PATH = 258;
const FIRST_SET = 259;

/** A compiled glob: one token per step, sets of bytes as tables. */
export interface Glob {
  readonly tokens: Uint16Array;
  readonly sets: readonly Uint8Array[];
}

const CLASSES: Readonly<Record<string, (byte: number) => boolean>> = {
  alnum: (b) => isDigit(b) || isUpper(b) || isLower(b),
  alpha: (b) => isUpper(b) || isLower(b),
  blank: (b) => b === 0x20 || b === 0x09,
  cntrl: (b) => b < 0x20 || b === 0x7f,
  digit: isDigit,
  graph: (b) => b > 0x20 && b < 0x7f,
  lower: isLower,
  print: (b) => b >= 0x20 && b < 0x7f,
  punct: (b) => b > 0x20 && b < 0x7f && !isDigit(b) && !isUpper(b) && !isLower(b),
  space: (b) => b === 0x20 || (b >= 0x09 && b <= 0x0d),
  upper: isUpper,
  xdigit: (b) => isDigit(b) || (b >= 0x41 && b <= 0x46) || (b >= 0x61 && b <= 0x66),
};

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}

function isUpper(byte: number): boolean {
  return byte >= 0x41 && byte <= 0x5a;
}

function isLower(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** Compiles a pattern. Throws {@link FormatError} with the offset of a trailing `\`, an unclosed `[` or an unknown class. */
export function compileGlob(pattern: Uint8Array): Glob {
  const tokens: number[] = [];
  const sets: Uint8Array[] = [];
  for (let at = 0; at < pattern.length;) {
    const byte = pattern[at];
    if (byte === BACKSLASH) {
      if (at + 1 === pattern.length) throw new FormatError("pattern ends with a backslash", { offset: at });
      tokens.push(pattern[at + 1]);
      at += 2;
    } else if (byte === STAR) {
      const first = at;
      while (pattern[at] === STAR) at++;
      const alone = (first === 0 || pattern[first - 1] === SLASH) && (at === pattern.length || pattern[at] === SLASH);
      tokens.push(at - first > 1 && alone ? ANY_PATH : ANY_IN_COMPONENT);
    } else if (byte === OPEN) {
      const { set, end } = compileSet(pattern, at);
      tokens.push(FIRST_SET + sets.push(set) - 1);
      at = end;
    } else {
      tokens.push(byte === QUESTION ? ANY : byte);
      at++;
    }
  }
  return { tokens: Uint16Array.from(tokens), sets };
}

function compileSet(pattern: Uint8Array, open: number): { set: Uint8Array; end: number } {
  const set = new Uint8Array(256);
  let at = open + 1;
  const negated = pattern[at] === CARET;
  if (negated) at++;
  // A closing bracket in the first place stands for itself.
  for (let first = true; first || pattern[at] !== CLOSE; first = false) {
    if (at >= pattern.length) throw new FormatError("pattern has a '[' without ']'", { offset: open });
    if (pattern[at] === OPEN && pattern[at + 1] === COLON) {
      at = addClass(set, pattern, at);
      continue;
    }
    const low = member(pattern, at, open);
    at = low.end;
    let high = low.byte;
    if (pattern[at] === DASH && at + 1 < pattern.length && pattern[at + 1] !== CLOSE) {
      ({ byte: high, end: at } = member(pattern, at + 1, open));
    }
    for (let byte = low.byte; byte <= high; byte++) set[byte] = 1;
  }
  if (negated) { for (let byte = 0; byte < 256; byte++) set[byte] ^= 1; }
  return { set, end: at + 1 };
}

function member(pattern: Uint8Array, at: number, open: number): { byte: number; end: number } {
  const escaped = pattern[at] === BACKSLASH ? 1 : 0;
  if (at + escaped >= pattern.length) throw new FormatError("pattern has a '[' without ']'", { offset: open });
  return { byte: pattern[at + escaped], end: at + escaped + 1 };
}

function addClass(set: Uint8Array, pattern: Uint8Array, at: number): number {
  let end = at + 2;
  while (end < pattern.length && pattern[end] !== COLON) end++;
  const name = String.fromCharCode(...pattern.subarray(at + 2, Math.min(end, at + 34)));
  if (pattern[end + 1] !== CLOSE || !Object.hasOwn(CLASSES, name)) {
    throw new FormatError(`pattern has an unknown class '[:${name}'`, { offset: at });
  }
  for (let byte = 0; byte < 256; byte++) if (CLASSES[name](byte)) set[byte] = 1;
  return end + 2;
}

/** Where a path may begin to match, and what counts as a match. */
export interface GlobMode {
  /** Also begin behind every `/` of the path. */
  readonly floating: boolean;
  /** True when the path could go on so that it matches, not only when it matches as it is. */
  readonly prefix?: boolean;
}

/** Scratch space of {@link matchGlob}, which never waits and so is never entered twice. */
let marks = new Int32Array(256);
let skips = new Int32Array(256);
let current = new Int32Array(256);
let next = new Int32Array(256);
let generation = 0;
let count = 0;

/** True when the glob matches all of `path` (or, when floating, all that follows one of its slashes). */
export function matchGlob(glob: Glob, path: Uint8Array, mode: GlobMode): boolean {
  const { tokens, sets } = glob;
  const states = tokens.length + 1;
  if (marks.length < states) {
    marks = new Int32Array(states);
    skips = new Int32Array(states);
    current = new Int32Array(states);
    next = new Int32Array(states);
    generation = 0;
  }
  if (generation > 0x7fff0000) {
    marks.fill(0);
    skips.fill(0);
    generation = 0;
  }
  // All ways of matching advance together through the path: `current` holds how far into the pattern each has come.
  generation++;
  count = 0;
  enter(current, tokens, 0);
  for (let at = 0; at < path.length; at++) {
    const byte = path[at];
    const active = count;
    generation++;
    count = 0;
    for (let i = 0; i < active; i++) {
      const state = current[i];
      if (state === tokens.length) continue;
      const token = tokens[state];
      if (token < 256) {
        if (token === byte) enter(next, tokens, state + 1);
      } else if (token === ANY) {
        if (byte !== SLASH) enter(next, tokens, state + 1);
      } else if (token === ANY_IN_COMPONENT) {
        if (byte !== SLASH) add(next, tokens, state);
      } else if (token === ANY_PATH) {
        add(next, tokens, state);
      } else if (sets[token - FIRST_SET][byte] === 1) {
        enter(next, tokens, state + 1);
      }
    }
    if (mode.floating && byte === SLASH) enter(next, tokens, 0);
    [current, next] = [next, current];
  }
  if (mode.prefix) return count > 0;
  return marks[tokens.length] === generation;
}

/** Goes on at a token: adds its state and those reachable from it without a byte. */
function enter(list: Int32Array, tokens: Uint16Array, state: number): void {
  // A double star that begins here may stand for nothing together with its slash (but not one that has taken bytes).
  if (tokens[state] === ANY_PATH && tokens[state + 1] === SLASH && skips[state] !== generation) {
    skips[state] = generation;
    enter(list, tokens, state + 2);
  }
  add(list, tokens, state);
}

/** Adds a state and, when it is a star, the one behind it. */
function add(list: Int32Array, tokens: Uint16Array, state: number): void {
  if (marks[state] === generation) return;
  marks[state] = generation;
  list[count++] = state;
  if (tokens[state] === ANY_PATH || tokens[state] === ANY_IN_COMPONENT) enter(list, tokens, state + 1);
}
