/** `tfa.json`: second factors of users (`spec/auth.md` §9.5). Members that are not known here survive a change. */
import { DozoError } from "../base/errors.ts";

/** A time-based code generator. `entry` is its URI, or the URI with the last accepted time step. */
export interface TotpEntry {
  readonly enable?: boolean;
  entry: string | { totp: string; "last-count"?: number };
}

/** Second factors of one user. Entries of `recovery` are digests of unused keys, null when used. */
export interface UserFactors {
  totp?: TotpEntry[];
  recovery?: { readonly secret: string; readonly entries: (string | null)[] };
  "totp-locked"?: boolean;
  "tfa-locked-until"?: number;
  readonly [kind: string]: unknown;
}

/** The whole file. */
export interface SecondFactorFile {
  users?: Record<string, UserFactors>;
  readonly [member: string]: unknown;
}

/** Parses the file. Throws {@link DozoError} on damage, so that no second factor is ever turned off by it. */
export function parseSecondFactors(text: string, file: string): SecondFactorFile {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as SecondFactorFile;
  } catch {
    throw new DozoError(`unable to parse '${file}': it is not JSON`);
  }
  throw new DozoError(`unable to parse '${file}': an object is expected`);
}

/** The factors of a user; none when it has no entry. */
export function factorsOf(file: SecondFactorFile, userid: string): UserFactors | undefined {
  return file.users && Object.hasOwn(file.users, userid) ? file.users[userid] : undefined;
}
