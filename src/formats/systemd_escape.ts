/** Escaping of text for file names in the manner of systemd units (`spec/rest-conventions.md` §12, `spec/datastore-layout.md` §6.2). */
import { FormatError } from "../base/errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * `/` becomes `-`; bytes outside `[A-Za-z0-9_.]` and a leading `.` become `\xNN`. The result is ASCII without `/`, `:` or white space.
 */
export function escapeUnit(text: string): string {
  let escaped = "";
  const bytes = encoder.encode(text);
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    const char = String.fromCharCode(byte);
    if (char === "/") escaped += "-";
    else if (/[A-Za-z0-9_]/.test(char) || (char === "." && i > 0)) escaped += char;
    else escaped += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return escaped;
}

/** {@link escapeUnit} for a path: leading slashes are dropped first. */
export function escapeUnitPath(path: string): string {
  return escapeUnit(path.replace(/^\/+/, ""));
}

/** Reverses {@link escapeUnit}. Throws {@link FormatError} on a broken escape or when the result is not UTF-8. */
export function unescapeUnit(escaped: string): string {
  const bytes: number[] = [];
  for (let i = 0; i < escaped.length; i++) {
    const char = escaped[i];
    if (char === "-") {
      bytes.push(0x2f);
    } else if (char === "\\") {
      const digits = /^x([0-9a-fA-F]{2})$/.exec(escaped.slice(i + 1, i + 4));
      if (!digits) throw new FormatError(`broken escape in '${escaped.slice(0, 80)}'`, { offset: i });
      bytes.push(parseInt(digits[1], 16));
      i += 3;
    } else if (char.charCodeAt(0) < 0x80) {
      bytes.push(char.charCodeAt(0));
    } else {
      throw new FormatError(`character that must be escaped in '${escaped.slice(0, 80)}'`, { offset: i });
    }
  }
  try {
    return decoder.decode(new Uint8Array(bytes));
  } catch (cause) {
    throw new FormatError(`escaped text is not UTF-8: '${escaped.slice(0, 80)}'`, { cause });
  }
}
