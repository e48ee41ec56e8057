/** Extracts archives into a directory, never outside of it (`spec/pxar.md` §12). */
import { DozoError } from "../base/errors.ts";
import type { PxarAccessor, PxarDecoder } from "../formats/pxar/mod.ts";
import type { ExtractOptions, ExtractStats } from "./extract_types.ts";

/**
 * Extracts everything that `decoder` delivers, in order: for whole archives. Rejects with a {@link DozoError} when the
 * archive is damaged or, with `strict`, at the first entry that cannot be restored.
 */
export function extractArchive(_decoder: PxarDecoder, _options: ExtractOptions): Promise<ExtractStats> {
  return Promise.reject(new DozoError("being written"));
}

/**
 * Extracts what `options.patterns` select by random access, so that only the needed parts of the streams are read.
 * A path without pattern characters is looked up directly; otherwise all directory tables are walked.
 */
export function extractMatching(_accessor: PxarAccessor, _options: ExtractOptions): Promise<ExtractStats> {
  return Promise.reject(new DozoError("being written"));
}
