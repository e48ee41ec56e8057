/** Finished tasks: `archive`, its rotated parts and the legacy `index` (`spec/rest-conventions.md` §13). */
import { join } from "node:path";
import { zstdDecompress } from "../native/zstd.ts";
import { readTextOrEmpty } from "./task_index.ts";
import { parseTaskList, type TaskEntry } from "./task_record.ts";

/** Bytes of one rotated part when unpacked: parts are cut at about 512 KiB. */
export const MAX_ARCHIVE_PART = 64 << 20;
/** Rotated parts that are kept. */
export const ARCHIVE_PARTS = 20;

/** Name of the rotated part `n`: the newest, 1, is not compressed. */
export function archivePart(directory: string, n: number): string {
  return join(directory, n === 1 ? "archive.1" : `archive.${n}.zst`);
}

/** The finished tasks, newest part first; each part is oldest first. Parts that are missing or cannot be read are left out. */
export async function* archivesNewestFirst(directory: string): AsyncGenerator<TaskEntry[], void, void> {
  yield await readArchive(join(directory, "archive"));
  for (let n = 1; n <= ARCHIVE_PARTS; n++) yield await readArchive(archivePart(directory, n));
  yield (await readArchive(join(directory, "index"))).filter((entry) => entry.endTime !== undefined);
}

/** The tasks of one list, oldest first; empty when it is missing or cannot be read. */
export async function readArchive(path: string): Promise<TaskEntry[]> {
  try {
    if (!path.endsWith(".zst")) return parseTaskList(await readTextOrEmpty(path));
    return parseTaskList(new TextDecoder().decode(await zstdDecompress(await Deno.readFile(path), MAX_ARCHIVE_PART)));
  } catch {
    // One damaged old part must not hide the rest of the list.
    return [];
  }
}
