/** Patterns and lengths of names (`spec/config-files.md` §5). */
import { DozoError } from "../base/errors.ts";

const SAFE_ID = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** True when `text` is letters, digits, `_`, `.`, `-` and does not start with `.` or `-`. */
export function isSafeId(text: string): boolean {
  return SAFE_ID.test(text);
}

/** Kinds of names with their minimum and maximum length in characters. */
export const NAME_LIMITS = {
  "datastore": [3, 32],
  "job": [3, 32],
  "remote": [3, 32],
  "traffic rule": [3, 32],
  "metric server": [3, 32],
  "s3 client": [3, 32],
  "drive": [3, 32],
  "changer": [3, 32],
  "realm": [2, 32],
  "token": [3, 64],
  "media pool": [2, 32],
  "media label": [2, 32],
  "notification target": [2, 32],
} as const;

/** A kind of name with a limit of its own. */
export type NameKind = keyof typeof NAME_LIMITS;

/** Why `name` may not name a `kind`, or undefined when it may. */
export function nameProblem(kind: NameKind, name: string): string | undefined {
  const [shortest, longest] = NAME_LIMITS[kind];
  if (name.length < shortest) return `must be at least ${shortest} characters long`;
  if (name.length > longest) return `may only be ${longest} characters long`;
  if (!isSafeId(name)) return "may only have letters, digits, '_', '.' and '-', and must not start with '.' or '-'";
}

/** Throws {@link DozoError} (400) unless `name` may name a `kind`. Returns the name. */
export function checkName(kind: NameKind, name: string): string {
  const problem = nameProblem(kind, name);
  if (problem) throw new DozoError(`invalid ${kind} name '${name.slice(0, 80)}': ${problem}`);
  return name;
}
