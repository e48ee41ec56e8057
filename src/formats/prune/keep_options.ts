/** Prune options: how many snapshots of which periods are kept (`spec/config-files.md` §10). */
import { FormatError } from "../../base/errors.ts";

/** The options in the order in which they are applied. */
export const KEEP_OPTIONS = [
  "keep-last",
  "keep-hourly",
  "keep-daily",
  "keep-weekly",
  "keep-monthly",
  "keep-yearly",
] as const;
export type KeepOption = typeof KEEP_OPTIONS[number];

/** Numbers of periods, integers from 1. Without any option everything is kept. */
export type KeepOptions = { readonly [option in KeepOption]?: number };

/** Picks the keep options out of `values`, texts or numbers; others are left alone. Throws {@link FormatError}. */
export function parseKeepOptions(values: Readonly<Record<string, unknown>>): KeepOptions {
  const options: { [option in KeepOption]?: number } = {};
  for (const option of KEEP_OPTIONS) {
    const value = Object.hasOwn(values, option) ? values[option] : undefined;
    if (value === undefined) continue;
    const count = typeof value === "string" && /^\+?\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
      const shown = typeof value === "string" || typeof value === "number" ? `'${value}'`.slice(0, 42) : typeof value;
      throw new FormatError(`'${option}': ${shown} is not a whole number from 1`);
    }
    options[option] = count;
  }
  return options;
}

/** The options as a command line and the log of a prune task show them: `--keep-last 3 --keep-daily 7`. */
export function formatKeepOptions(options: KeepOptions): string {
  return KEEP_OPTIONS.filter((option) => options[option] !== undefined)
    .map((option) => `--${option} ${options[option]}`)
    .join(" ");
}

/** True when nothing would ever be removed because no option is set. */
export function keepsEverything(options: KeepOptions): boolean {
  return KEEP_OPTIONS.every((option) => options[option] === undefined);
}
