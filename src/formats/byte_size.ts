/** Byte sizes for people: `10 MiB`, `1.5G`, `4096` (`spec/config-files.md` §6). */
import { FormatError } from "../base/errors.ts";

/** A parsed size: `bytes` rounded to whole bytes, `text` in the normal form that keeps the unit given. */
export interface ByteSize {
  readonly bytes: number;
  readonly text: string;
}

const PREFIXES = ["", "K", "M", "G", "T", "P"] as const;
const SIZE = /^(\d{1,20}(?:\.\d{0,20})?|\.\d{1,20}) *(?:(b)|([kmgtp])(i?)(b?))?$/i;

/** Parses a number with an optional decimal or binary unit, at most 64 characters. Throws {@link FormatError}. */
export function parseByteSize(text: string): ByteSize {
  const match = text.length <= 64 ? SIZE.exec(text) : null;
  if (!match) throw new FormatError(`byte-size parse error for '${text.slice(0, 64)}' (expected for example 10 MiB)`);
  const value = Number(match[1]);
  const power = PREFIXES.indexOf((match[3] ?? "").toUpperCase() as typeof PREFIXES[number]);
  const binary = Boolean(match[4]);
  const bytes = Math.round(value * (binary ? 1024 : 1000) ** power);
  if (!Number.isSafeInteger(bytes)) throw new FormatError(`byte size '${text}' is too large`);
  return { bytes, text: `${rounded(value)} ${unitName(power, !binary)}` };
}

/** `bytes` with the largest fitting unit, at most 3 decimals: `1.5 MiB`, or `1.573 MB` with `decimal`. */
export function formatByteSize(bytes: number, options: { decimal?: boolean } = {}): string {
  const base = options.decimal ? 1000 : 1024;
  let power = 0;
  while (power < PREFIXES.length - 1 && Math.abs(bytes) >= base ** (power + 1)) power++;
  return `${rounded(bytes / base ** power)} ${unitName(power, options.decimal ?? false)}`;
}

function unitName(power: number, decimal: boolean): string {
  return power === 0 ? "B" : `${PREFIXES[power]}${decimal ? "" : "i"}B`;
}

function rounded(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
