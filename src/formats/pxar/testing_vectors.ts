/** Loads the golden pxar archives for the tests of this folder. */
import { readFileSync } from "node:fs";
import { zstdDecompressSync } from "node:zlib";
import type { SequentialSource } from "./sink.ts";

const ROOT = new URL("../../../test/vectors/", import.meta.url);

/** A vector file, unpacked where it is stored compressed. */
export function vector(path: string): Uint8Array<ArrayBuffer> {
  const bytes = readFileSync(new URL(path, ROOT));
  return new Uint8Array(path.endsWith(".zst") ? zstdDecompressSync(bytes) : bytes);
}

/** A vector file as JSON. */
export function jsonVector<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(path, ROOT), "utf8"));
}

/** `bytes` delivered in pieces of `size`. */
export function pieces(bytes: Uint8Array, size: number): SequentialSource {
  let at = 0;
  return {
    pull() {
      const piece = bytes.subarray(at, at += size);
      return Promise.resolve(piece.length > 0 ? piece : null);
    },
  };
}

export interface MalformedCase {
  name: string;
  archive: string;
  payload?: string;
  advice: string;
  list: { exit: number; stdout: string[] };
}
