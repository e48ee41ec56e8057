/** File names as Linux has them: bytes without NUL, of no particular character set. */

/** A name or path. Text stands for its UTF-8 bytes. */
export type FileName = string | Uint8Array;

/** Directory "descriptor" that stands for the working directory. */
export const AT_FDCWD = -100;

const PATH_MAX = 4096;
const encoder = new TextEncoder();
const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const first = new Uint8Array(PATH_MAX + 1);
const second = new Uint8Array(PATH_MAX + 1);

/** The empty path, for calls that mean the descriptor itself. */
export const EMPTY_PATH: Uint8Array<ArrayBuffer> = new Uint8Array(1);

/** Why a name cannot even be handed to the system. */
export type NameFault = "EINVAL" | "ENAMETOOLONG";

/**
 * The name as a NUL-terminated string in a buffer that the next call overwrites, so that a call costs no allocation;
 * or the fault of a name that holds a NUL (it would be cut off there) or is longer than any path.
 */
export function cString(name: FileName): Uint8Array<ArrayBuffer> | NameFault {
  return fill(first, name);
}

/** {@link cString} in another buffer, for calls that take two names. */
export function secondCString(name: FileName): Uint8Array<ArrayBuffer> | NameFault {
  return fill(second, name);
}

function fill(buffer: Uint8Array<ArrayBuffer>, name: FileName): Uint8Array<ArrayBuffer> | NameFault {
  let length: number;
  if (typeof name === "string") {
    const { read, written } = encoder.encodeInto(name, buffer);
    if (read < name.length || written >= PATH_MAX) return "ENAMETOOLONG";
    length = written;
  } else {
    length = name.length;
    if (length >= PATH_MAX) return "ENAMETOOLONG";
    buffer.set(name);
  }
  buffer[length] = 0;
  for (let i = 0; i < length; i++) if (buffer[i] === 0) return "EINVAL";
  return buffer;
}

/** The name for people: what is not printable UTF-8 becomes `\n`, `\\` or `\xNN`, so that one name is one line. */
export function printableName(name: FileName): string {
  let text: string;
  if (typeof name === "string") {
    text = name;
  } else {
    try {
      text = strict.decode(name);
    } catch {
      return Array.from(
        name,
        (byte) => byte >= 0x20 && byte < 0x7f && byte !== 0x5c ? String.fromCharCode(byte) : hex(byte),
      )
        .join("");
    }
  }
  return text.replace(
    /[\p{Cc}\\]/gu,
    (char) => char === "\n" ? "\\n" : char === "\\" ? "\\\\" : hex(char.charCodeAt(0)),
  );
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
