/** Options and result of creating an archive. */
import type { CatalogWriter } from "../formats/catalog.ts";
import type { ArchiveSink, PayloadSink } from "../formats/pxar/mod.ts";
import type { Features } from "./features.ts";
import type { PreviousArchive, ReusingSink } from "./reuse_types.ts";

export interface CreateOptions {
  /** Directory to archive. */
  source: string;
  /** Takes the archive (version 1) or the metadata stream (version 2). */
  archive: ArchiveSink;
  /** Takes the payload stream; its presence makes the archive version 2. Must be able to inject when `previous` is given. */
  payload?: PayloadSink | ReusingSink;
  /** Gets every entry, inside of the directory that is open in it; the caller opens and closes the one of the archive. */
  catalog?: CatalogWriter;
  /** `--exclude` patterns in order. */
  excludes?: readonly string[];
  /** Leaves out `lost+found` directories. */
  skipLostAndFound?: boolean;
  /** Paths whose file systems are entered although they are mounted below the source. */
  includeDev?: readonly string[];
  /** Enters every file system (but virtual ones). */
  allFileSystems?: boolean;
  /** Most directory entries on the path from the root to any directory; default 1 048 576. */
  entriesMax?: number;
  /** Leaves out the rest of a file's extended attributes after one that the kernel finds too big, instead of failing. */
  skipE2bigXattr?: boolean;
  /** Attributes to store; {@link DEFAULT_FEATURES} unless given. */
  features?: Features;
  /** Previous snapshot of the same split archive, for metadata change detection. */
  previous?: PreviousArchive;
  /** Most files that wait, open, for the decision whether their old chunks are reused; default 512. */
  cacheLimit?: number;
  /** Warnings and the change detection summary, one line each. */
  log?: (line: string) => void;
  /** Stops the run; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

/** Counts of one run. Sizes in bytes. */
export interface CreateStats {
  /** Bytes of the archive or metadata stream, and of the payload stream (injected chunks included). */
  archiveSize: number;
  payloadSize: number;
  directories: number;
  /** Regular files, hardlinks included. */
  files: number;
  hardlinks: number;
  /** Files whose data was referenced in chunks of the previous snapshot. */
  reusedFiles: number;
  reusedSize: number;
  /** Files whose data was read. */
  encodedFiles: number;
  encodedSize: number;
  /** Chunks of the previous snapshot in the new payload stream, their bytes, and the unused bytes among these. */
  injectedChunks: number;
  injectedSize: number;
  partialChunks: number;
  padding: number;
  warnings: number;
}
