/** Byte sizes for people: `10 MiB`, `1.5G`, `4096` (`spec/config-files.md` §6). */
import { FormatError } from "../base/errors.ts";

/** A parsed size: `bytes` rounded to whole bytes, `text` in the normal form that keeps the unit given. */
export interface ByteSize {
  readonly bytes: number;
  readonly text: string;
}

/** Parses a number with an optional decimal or binary unit. Throws {@link FormatError}. */
export function parseByteSize(_text: string): ByteSize {
  throw new FormatError("being written");
}

/** `bytes` with the largest fitting unit, at most 3 decimals: `1.5 MiB`, or `1.573 MB` with `decimal`. */
export function formatByteSize(_bytes: number, _options: { decimal?: boolean } = {}): string {
  throw new FormatError("being written");
}
