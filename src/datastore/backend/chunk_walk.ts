/**
 * Walks all chunk files of a directory store. Looks at the files of one chunk directory in one go: a store has millions of
 * them, and a round trip through the thread pool for each takes twenty times as long as the call itself.
 */
import { fromHex } from "../../base/bytes.ts";
import { parseChunkName } from "./chunk_path.ts";
import type { ChunkEntry } from "./contract.ts";
import { failure, isMissing } from "./failure.ts";

/** Directories between two pauses in which other work of the process runs. */
const PAUSE_AFTER = 16;

/** All chunks below `root` (the `.chunks` directory), directory by directory. Vanished files and foreign names are skipped. */
export async function* walkChunks(root: string): AsyncGenerator<ChunkEntry, void, void> {
  let visited = 0;
  // Chunk directories that are missing count as empty (`spec/datastore-layout.md` §2).
  for (const name of namesOf(root).filter((name) => /^[0-9a-f]{4}$/.test(name)).sort()) {
    yield* entriesOf(`${root}/${name}`);
    if (++visited % PAUSE_AFTER === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}

function entriesOf(directory: string): ChunkEntry[] {
  const entries: ChunkEntry[] = [];
  for (const name of namesOf(directory)) {
    const parsed = parseChunkName(name);
    const stat = parsed && statOf(`${directory}/${name}`);
    if (!parsed || !stat?.isFile) continue;
    const atime = Math.floor((stat.atime?.getTime() ?? 0) / 1000);
    entries.push({ digest: fromHex(parsed.hex), bad: parsed.bad, size: stat.size, atime });
  }
  return entries;
}

function namesOf(directory: string): string[] {
  try {
    return Array.from(Deno.readDirSync(directory), ({ name }) => name);
  } catch (error) {
    if (isMissing(error)) return [];
    throw failure(`unable to read chunk directory "${directory}"`, error);
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`unable to look at chunk "${path}"`, error);
  }
}
