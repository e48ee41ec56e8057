/** How exclude patterns of the command line are recorded in an archive (`spec/pxar.md` §7). */
import { concatBytes } from "../base/bytes.ts";
import type { Pattern } from "../formats/pattern.ts";
import { FileType, type Metadata } from "../formats/pxar/mod.ts";
import { getegid, geteuid } from "../native/process.ts";
import { CLI_PATTERN_FILE } from "./directory_list.ts";

const text = new TextEncoder();

/** One line per pattern: `!` for an include pattern, the text, `/` for directories only. */
export function serializePatterns(patterns: readonly Pattern[]): Uint8Array<ArrayBuffer> {
  return concatBytes(...patterns.map(({ kind, text: pattern, directoriesOnly }) => {
    const start = kind === "include" ? "!" : "";
    return concatBytes(text.encode(start), pattern, text.encode(directoriesOnly ? "/\n" : "\n"));
  }));
}

/** Content of the PRELUDE of a split archive. */
export function preludeOf(list: Uint8Array): Uint8Array {
  return text.encode(JSON.stringify({ "exclude-patterns": new TextDecoder().decode(list) }));
}

/** Name and metadata of the file that carries the list in a version 1 archive. */
export function cliPatternEntry(): { name: Uint8Array; metadata: Metadata } {
  const metadata: Metadata = {
    mode: FileType.Regular | 0o600,
    flags: 0,
    uid: geteuid(),
    gid: getegid(),
    mtimeSec: 0,
    mtimeNsec: 0,
  };
  return { name: CLI_PATTERN_FILE, metadata };
}
