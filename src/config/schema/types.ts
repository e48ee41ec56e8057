/**
 * Building blocks of parameter and configuration schemas: zod types whose error texts are those of PBS
 * (`spec/rest-conventions.md` §4). Limits are kept as metadata too, so that JSON Schema can be made from them.
 */
import { z } from "zod";

/** Constraints of a text. Lengths count characters (code points), not bytes. */
export interface TextRules {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** A further check: the error text for a bad value, else nothing. */
  readonly format?: (value: string) => string | undefined;
  readonly description?: string;
}

function lengthOf(value: string): number {
  let surrogates = 0;
  for (let i = 0; i < value.length; i++) {
    const unit = value.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) surrogates++;
  }
  return value.length - surrogates;
}

function faultOfText(value: string, rules: TextRules): string | undefined {
  const length = rules.min === undefined && rules.max === undefined ? 0 : lengthOf(value);
  if (rules.min !== undefined && length < rules.min) return `value must be at least ${rules.min} characters long`;
  if (rules.max !== undefined && length > rules.max) return `value may only be ${rules.max} characters long`;
  if (rules.pattern && !rules.pattern.test(value)) return "value does not match the regex pattern";
  return rules.format?.(value);
}

/** A string under `rules`; only the first broken rule is reported (length, then pattern, then format). */
export function text(rules: TextRules = {}): z.ZodString {
  const meta: Record<string, unknown> = {};
  if (rules.min !== undefined) meta.minLength = rules.min;
  if (rules.max !== undefined) meta.maxLength = rules.max;
  if (rules.pattern) meta.pattern = rules.pattern.source;
  if (rules.description) meta.description = rules.description;
  return z.string().superRefine((value, ctx) => {
    const message = faultOfText(value, rules);
    if (message !== undefined) ctx.addIssue({ code: "custom", message });
  }).meta(meta);
}

/** An integer between `min` and `max` inclusive (default: the safe integers). */
export function integer(min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER): z.ZodInt {
  return z.int({ error: (issue) => issue.code === "invalid_type" ? "Expected integer value." : undefined }).min(min)
    .max(max);
}

/** A true/false value. */
export function bool(): z.ZodBoolean {
  return z.boolean();
}

/** One of the given words. */
export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words);
}

/** A list; in forms and queries the key is repeated. */
export function list<T extends z.ZodType>(item: T): z.ZodArray<T> {
  return z.array(item);
}
