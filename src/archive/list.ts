/** Lists an archive as `pxar list` does. */
import { DozoError } from "../base/errors.ts";
import type { PxarDecoder } from "../formats/pxar/mod.ts";

/**
 * One line per entry, in archive order: the quoted path, or with `detailed` mode, owner, mtime and size as well.
 * Rejects with a FormatError when the archive is damaged.
 */
export function listArchive(_decoder: PxarDecoder, _print: (line: string) => void, _detailed = false): Promise<void> {
  return Promise.reject(new DozoError("being written"));
}
