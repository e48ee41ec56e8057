/** Paths as bytes: building them while walking, and showing them to people. */

const ESCAPES = new Map([[0x22, '\\"'], [0x5c, "\\\\"], [0x0a, "\\n"], [0x0d, "\\r"], [0x09, "\\t"], [0, "\\0"]]);
/** Control, format, separator, unassigned and combining characters: what a terminal would not show as itself. */
const UNPRINTABLE = /[\p{C}\p{Z}\p{Grapheme_Extend}]/u;
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * `path` in double quotes on one line, as `pxar list` shows it: text as it is, quotes, backslashes and control characters
 * escaped, bytes that are no UTF-8 as `\xNN`.
 */
export function quotePath(path: Uint8Array): string {
  let text = '"';
  for (let at = 0; at < path.length;) {
    const byte = path[at];
    const size = byte < 0x80 ? 1 : byte < 0xc2 ? 0 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : byte < 0xf5 ? 4 : 0;
    let shown: string | undefined;
    if (size > 0 && at + size <= path.length) shown = decode(path.subarray(at, at + size));
    if (shown === undefined) {
      text += `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
      at++;
      continue;
    }
    const escape = ESCAPES.get(byte);
    if (escape) text += escape;
    else if ((byte >= 0x7f || byte < 0x20) && UNPRINTABLE.test(shown)) {
      text += `\\u{${shown.codePointAt(0)?.toString(16)}}`;
    } else text += shown;
    at += size;
  }
  return text + '"';
}

function decode(bytes: Uint8Array): string | undefined {
  if (bytes.length === 1) return String.fromCharCode(bytes[0]);
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}

/** The path of the directory being walked, kept in one buffer: entering and leaving copies one name. */
export class PathBuffer {
  #bytes = new Uint8Array(4096);
  #length = 0;
  readonly #lengths: number[] = [];

  /** Goes into the sub-directory `name`. */
  enter(name: Uint8Array): void {
    this.#lengths.push(this.#length);
    this.#length = this.#put(name);
  }

  /** Goes back to the parent. */
  leave(): void {
    this.#length = this.#lengths.pop() ?? 0;
  }

  #put(name: Uint8Array): number {
    const end = this.#length + 1 + name.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(2 * end);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    this.#bytes[this.#length] = 0x2f;
    this.#bytes.set(name, this.#length + 1);
    return end;
  }

  /** The path of child `name` (`/a/b/name`), valid until the next call. */
  child(name: Uint8Array): Uint8Array {
    return this.#bytes.subarray(0, this.#put(name));
  }

  /** The path of the current directory (`/` for the root), as a copy. */
  current(): Uint8Array {
    return this.#length === 0 ? Uint8Array.of(0x2f) : this.#bytes.slice(0, this.#length);
  }
}
