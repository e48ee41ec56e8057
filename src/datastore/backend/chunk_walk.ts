/** Walks all chunk files of a directory store. */
import { fromHex } from "../../base/bytes.ts";
import { chunkDirectoryName, parseChunkName } from "./chunk_path.ts";
import type { ChunkEntry } from "./contract.ts";
import { failure, isMissing } from "./failure.ts";

/** All chunks below `root` (the `.chunks` directory), directory by directory. Vanished files and foreign names are skipped. */
export async function* walkChunks(root: string): AsyncGenerator<ChunkEntry, void, void> {
  for (let n = 0; n < 0x10000; n++) {
    const directory = `${root}/${chunkDirectoryName(n)}`;
    for (const name of await namesOf(directory)) {
      const parsed = parseChunkName(name);
      if (!parsed) continue;
      const stat = await statOf(`${directory}/${name}`);
      if (!stat?.isFile) continue;
      const atime = Math.floor((stat.atime?.getTime() ?? 0) / 1000);
      yield { digest: fromHex(parsed.hex), bad: parsed.bad, size: stat.size, atime };
    }
  }
}

async function namesOf(directory: string): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) names.push(name);
  } catch (error) {
    // A missing chunk directory counts as empty (`spec/datastore-layout.md` §2).
    if (!isMissing(error)) throw failure(`unable to read chunk directory "${directory}"`, error);
  }
  return names;
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`unable to look at chunk "${path}"`, error);
  }
}
