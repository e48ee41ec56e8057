/** Which parts of an archive's tree can hold something that match patterns select: the rest need not be looked at. */
import { bytesEqual } from "../base/bytes.ts";
import type { Pattern } from "../formats/pattern.ts";

const SLASH = 0x2f;
/** Bytes that make a pattern's component more than a name. */
const GLOB = new Set([0x2a, 0x3f, 0x5b, 0x5c]);

/** An anchored pattern: the names it begins with, and whether anything more general follows these. */
interface Route {
  readonly pattern: Pattern;
  readonly names: readonly Uint8Array[];
  readonly open: boolean;
}

/** What is to be looked at in a directory: these children, or with undefined all of them. */
export type Wanted = readonly Uint8Array[] | undefined;

/** Follows include patterns down the tree. */
export class PathSelection {
  /** Undefined when some pattern may match anywhere. */
  readonly #routes?: readonly Route[];
  readonly #includes: readonly Pattern[];

  constructor(patterns: readonly Pattern[]) {
    this.#includes = patterns.filter((pattern) => pattern.kind === "include");
    if (this.#includes.every((pattern) => pattern.text[0] === SLASH)) this.#routes = this.#includes.map(routeOf);
  }

  /** Children to look at in the directory with the given names on the way to it, none of whose entries is selected yet. */
  wantedIn(path: readonly Uint8Array[]): Wanted {
    if (!this.#routes) return undefined;
    const wanted: Uint8Array[] = [];
    for (const { names, open } of this.#routes) {
      const shared = Math.min(names.length, path.length);
      let onRoute = true;
      for (let i = 0; i < shared && onRoute; i++) onRoute = bytesEqual(names[i], path[i]);
      if (!onRoute) continue;
      if (names.length > path.length) {
        const next = names[path.length];
        if (!wanted.some((name) => bytesEqual(name, next))) wanted.push(next);
      } else if (open) return undefined;
    }
    return wanted;
  }

  /** False when nothing below the directory `path` (`/a/b`) can match. */
  canMatchBelow(path: Uint8Array): boolean {
    return this.#includes.some((pattern) => pattern.canMatchBelow(path));
  }
}

function routeOf(pattern: Pattern): Route {
  const names: Uint8Array[] = [];
  for (let start = 1; start < pattern.text.length;) {
    const slash = pattern.text.indexOf(SLASH, start);
    const end = slash < 0 ? pattern.text.length : slash;
    const name = pattern.text.subarray(start, end);
    if (name.some((byte) => GLOB.has(byte))) return { pattern, names, open: true };
    // An empty or dot component matches no path, so that the pattern selects nothing.
    names.push(name);
    start = end + 1;
  }
  return { pattern, names, open: false };
}
