/** The fields of a calendar event: lists of numbers, ranges and repetitions (`spec/config-files.md` §7). */

/** A field with its limits. */
export interface Field {
  readonly first: number;
  readonly last: number;
  /** Every value that `*` stands for, ascending. */
  readonly all: readonly number[];
  /** Digits of a printed value. */
  readonly width: number;
}

export const YEAR = field(0, 2199, 0, 4);
export const MONTH = field(1, 12, 1, 2);
/** Day 0 may be written and never comes. */
export const DAY = field(0, 31, 1, 2);
export const HOUR = field(0, 23, 0, 2);
/** Minutes, and seconds as well. */
export const MINUTE = field(0, 59, 0, 2);

/** What stands at a place of the text: the values in ascending order without repetition, and where the list ends. */
export interface NumberList {
  readonly values: readonly number[];
  readonly end: number;
}

/**
 * Reads `*`, `*\/N` or a list of `N`, `N..N`, `N/STEP` and `N..N/STEP` at `at`; undefined when a value is missing or
 * outside of the field. What cannot continue the list is left behind its end.
 */
export function readNumberList(text: string, at: number, field: Field): NumberList | undefined {
  if (text[at] === "*") return readStar(text, at + 1, field);
  const values = new Set<number>();
  for (;;) {
    const first = readNumber(text, at);
    if (!first || !isInside(first.value, field)) return undefined;
    at = first.end;
    let last: number | undefined;
    if (text.startsWith("..", at)) {
      const upper = readNumber(text, at + 2);
      if (upper) {
        if (upper.value < first.value || !isInside(upper.value, field)) return undefined;
        last = upper.value;
        at = upper.end;
      }
    }
    let step = last === undefined ? 0 : 1;
    const repetition = readStep(text, at);
    if (repetition) {
      if (repetition.value > field.last) return undefined;
      ({ value: step, end: at } = repetition);
      last ??= field.last;
    }
    values.add(first.value);
    // A step of 0 means the first value only.
    if (step > 0) { for (let value = first.value; value <= last!; value += step) values.add(value); }
    if (text[at] !== "," || !readNumber(text, at + 1)) return { values: [...values].sort((a, b) => a - b), end: at };
    at++;
  }
}

/** A text that is read back as `values` (ascending, not empty): `*`, `1..5,8`, `0/15`. */
export function formatNumberList(values: readonly number[], field: Field): string {
  if (values.length === field.all.length && values[0] === field.all[0]) return "*";
  const parts: string[] = [];
  for (let i = 0; i < values.length;) {
    const step = values[i + 1] - values[i];
    let run = 1;
    while (values[i + run] === values[i] + run * step) run++;
    // Two neighbours are clearer as a list.
    if (run < 3) run = 1;
    const first = padded(values[i], field);
    const last = values[i + run - 1];
    if (run === 1) parts.push(first);
    else if (step === 1) parts.push(`${first}..${padded(last, field)}`);
    else if (last + step > field.last) parts.push(`${first}/${step}`);
    else parts.push(`${first}..${padded(last, field)}/${step}`);
    i += run;
  }
  return parts.join(",");
}

function field(first: number, last: number, starStart: number, width: number): Field {
  return { first, last, all: Array.from({ length: last - starStart + 1 }, (_, i) => starStart + i), width };
}

function readStar(text: string, at: number, field: Field): NumberList | undefined {
  const repetition = readStep(text, at);
  // `*/0` is no repetition: its `/` is left to be refused.
  if (!repetition || repetition.value === 0) return { values: field.all, end: at };
  if (repetition.value > field.last) return undefined;
  return { values: field.all.filter((_, i) => i % repetition.value === 0), end: repetition.end };
}

function readStep(text: string, at: number): { value: number; end: number } | undefined {
  return text[at] === "/" ? readNumber(text, at + 1) : undefined;
}

function readNumber(text: string, at: number): { value: number; end: number } | undefined {
  const pattern = /\d+/y;
  pattern.lastIndex = at;
  const digits = pattern.exec(text)?.[0];
  return digits === undefined ? undefined : { value: Number(digits), end: at + digits.length };
}

function isInside(value: number, field: Field): boolean {
  return value >= field.first && value <= field.last;
}

function padded(value: number, field: Field): string {
  return String(value).padStart(field.width, "0");
}
