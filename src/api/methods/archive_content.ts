/** Contents of the files in a file archive. */
import type { PxarAccessor } from "../../formats/pxar/accessor.ts";
import type { PxarEntry } from "../../formats/pxar/entry.ts";

/** Bytes per step. */
const STEP = 1 << 20;

/** The content of a regular file, a step at a time. Check it before with `checkPayload`. */
export async function* contentOf(archive: PxarAccessor, file: PxarEntry): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < file.size; at += STEP) yield await archive.readFile(file, at, STEP);
}
