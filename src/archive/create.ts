/** Creates a pxar archive of a directory tree (`spec/pxar.md` §10). */
import { DozoError, errorMessage } from "../base/errors.ts";
import { parsePattern, type Pattern } from "../formats/pattern.ts";
import { PxarEncoder } from "../formats/pxar/mod.ts";
import { ArchiveWriter } from "./archive_writer.ts";
import { cliPatternEntry, preludeOf, serializePatterns } from "./cli_patterns.ts";
import type { CreateOptions, CreateStats } from "./create_types.ts";
import { IndexCache } from "./index_cache.ts";
import { PreviousTree } from "./previous.ts";
import { ReuseCache } from "./reuse.ts";
import type { ReusingSink } from "./reuse_types.ts";
import { TreeWalker } from "./tree_walker.ts";

/**
 * Archives `options.source`. Entries that vanish or may not be read are left out with a warning; anything else that fails
 * rejects with a {@link DozoError} naming the path. Both streams are complete when it resolves; the sinks stay open.
 */
export async function createArchive(options: CreateOptions): Promise<CreateStats> {
  const stats = emptyStats();
  const warn = (line: string) => {
    stats.warnings++;
    options.log?.(line);
  };
  const patterns = cliPatterns(options);
  const list = serializePatterns(patterns);
  const { payload, previous } = options;
  const prelude = payload && patterns.length > 0 ? preludeOf(list) : undefined;
  const encoder = new PxarEncoder(options.archive, { payload, prelude });
  const writer = new ArchiveWriter(encoder, options.catalog, stats, warn);
  let reuse: ReuseCache | undefined;
  let previousTree: PreviousTree | undefined;
  if (previous && previous.index.count > 0) {
    if (!payload || !("inject" in payload)) {
      throw new DozoError("a previous archive can be reused in a split archive only");
    }
    reuse = new ReuseCache(
      writer,
      payload as ReusingSink,
      new IndexCache(previous.index),
      stats,
      options.cacheLimit ?? 512,
    );
    previousTree = new PreviousTree(previous.metadata, warn);
    await previousTree.open();
  }
  const walker = new TreeWalker(options, { patterns, encoder, writer, reuse, previousTree, stats, warn });
  try {
    await walker.run();
    await reuse?.finish();
    if (!payload && patterns.length > 0) {
      const { name, metadata } = cliPatternEntry();
      options.catalog?.addFile(name, list.length, metadata.mtimeSec);
      await encoder.file(name, metadata, list.length);
      await encoder.dataSink.write(list);
    }
    await encoder.finish();
  } catch (error) {
    reuse?.abandon();
    throw error;
  } finally {
    walker.close();
  }
  stats.archiveSize = encoder.position;
  stats.payloadSize = encoder.payloadPosition;
  return stats;
}

function emptyStats(): CreateStats {
  return {
    archiveSize: 0,
    payloadSize: 0,
    directories: 0,
    files: 0,
    hardlinks: 0,
    reusedFiles: 0,
    reusedSize: 0,
    encodedFiles: 0,
    encodedSize: 0,
    injectedChunks: 0,
    injectedSize: 0,
    partialChunks: 0,
    padding: 0,
    warnings: 0,
  };
}

function cliPatterns(options: CreateOptions): Pattern[] {
  const texts = [...(options.excludes ?? [])];
  if (options.skipLostAndFound) texts.push("lost+found");
  return texts.map((text) => {
    try {
      return parsePattern(text);
    } catch (error) {
      throw new DozoError(`exclude pattern '${text}' is not valid: ${errorMessage(error)}`, { cause: error });
    }
  });
}
