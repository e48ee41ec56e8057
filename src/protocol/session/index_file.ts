/** Opening an index whose bytes were read from a snapshot. */
import { DozoError, errorMessage } from "../../base/errors.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";
import type { DigestMap } from "./digest_map.ts";

/** Entries between two pauses in which the server does other work: a large index has millions. */
const PAUSE_AFTER = 16384;

/** The index in `bytes`. Throws 400 with the file's `name` when it is missing (undefined) or no valid index. */
export function openIndex(
  kind: "fixed" | "dynamic",
  bytes: Uint8Array | undefined,
  name: string,
): FixedIndex | DynamicIndex {
  if (!bytes) throw new DozoError(`Unable to open ${kind} index "${name}" - No such file or directory (os error 2)`);
  try {
    return kind === "fixed" ? new FixedIndex(bytes) : new DynamicIndex(bytes);
  } catch (error) {
    throw new DozoError(`Unable to open ${kind} index "${name}" - ${errorMessage(error)}`, { cause: error });
  }
}

/** Adds all chunks of an index with their plain sizes to `chunks`. */
export async function registerChunks(chunks: DigestMap, index: FixedIndex | DynamicIndex): Promise<void> {
  let count = 0;
  for (const { start, end, digest } of index.chunks()) {
    chunks.set(digest, end - start);
    if (++count % PAUSE_AFTER === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}
