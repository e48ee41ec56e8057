/** Keeping the list of finished tasks and their logs within bounds (`spec/rest-conventions.md` §13). */
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { isUpid, parseUpid } from "../formats/upid.ts";
import { zstdCompressInto } from "../native/zstd.ts";
import { ARCHIVE_PARTS, archivePart, readArchive } from "./task_archive.ts";

/** What to keep. */
export interface RotationOptions {
  /** Bytes of `archive` above which a new part is started; default 512 KiB. */
  readonly maxSize?: number;
  /** Days for which tasks are kept; without it {@link ARCHIVE_PARTS} parts are. */
  readonly maxDays?: number;
}

const DAY = 86400;

/** Starts a new part when `archive` is large. The caller holds the lock of the lists. Throws {@link DozoError}. */
export async function rotateArchive(directory: string, options: RotationOptions): Promise<boolean> {
  const archive = join(directory, "archive");
  const size = await sizeOf(archive);
  if (size <= (options.maxSize ?? 512 << 10)) return false;
  try {
    for (let n = ARCHIVE_PARTS - 1; n >= 2; n--) {
      await renameIfThere(archivePart(directory, n), archivePart(directory, n + 1));
    }
    if (await sizeOf(archivePart(directory, 1)) > 0) {
      await compress(archivePart(directory, 1), archivePart(directory, 2));
    }
    await Deno.rename(archive, archivePart(directory, 1));
    await Deno.writeTextFile(archive, "", { mode: 0o640 });
  } catch (error) {
    throw new DozoError(`unable to rotate the task list '${archive}': ${errorMessage(error)}`, { cause: error });
  }
  return true;
}

/** Removes parts that are too old, then the logs of all tasks that are in no part any more and do not run. */
export async function removeOldLogs(
  directory: string,
  running: ReadonlySet<string>,
  options: RotationOptions,
): Promise<void> {
  const oldest = await removeOldParts(directory, options);
  if (oldest === undefined) return;
  for await (const bucket of Deno.readDir(directory)) {
    if (!bucket.isDirectory || !/^[0-9A-F]{2}$/.test(bucket.name)) continue;
    for await (const { name } of Deno.readDir(join(directory, bucket.name))) {
      // Tasks end in another order than they start: an hour more than the list reaches back costs nothing.
      if (!isUpid(name) || running.has(name) || parseUpid(name).startTime >= oldest - 3600) continue;
      await Deno.remove(join(directory, bucket.name, name)).catch(() => {});
    }
  }
}

/** Start time of the oldest task that is still listed; undefined when nothing was ever rotated away. */
async function removeOldParts(directory: string, options: RotationOptions): Promise<number | undefined> {
  const horizon = options.maxDays ? Math.floor(Date.now() / 1000) - options.maxDays * DAY : 0;
  let oldest: number | undefined;
  let parts = 0;
  for (let n = 1; n <= ARCHIVE_PARTS; n++) {
    const path = archivePart(directory, n);
    if (await sizeOf(path) === 0) continue;
    const entries = await readArchive(path);
    parts++;
    const newest = entries.at(-1)?.endTime ?? 0;
    if (newest < horizon) await Deno.remove(path).catch(() => {});
    else oldest = entries.reduce((start, entry) => Math.min(start, entry.startTime), oldest ?? Infinity);
  }
  if (parts === 0) return undefined;
  const current = await readArchive(join(directory, "archive"));
  return current.reduce((start, entry) => Math.min(start, entry.startTime), oldest ?? Math.floor(Date.now() / 1000));
}

async function compress(from: string, to: string): Promise<void> {
  const content = await Deno.readFile(from);
  const packed = new Uint8Array(content.length + (content.length >> 7) + 1024);
  const length = await zstdCompressInto(content, packed);
  if (length === null) throw new DozoError(`'${from}' does not compress`);
  await Deno.writeFile(`${to}.tmp`, packed.subarray(0, length), { mode: 0o640 });
  await Deno.rename(`${to}.tmp`, to);
}

async function sizeOf(path: string): Promise<number> {
  return await Deno.stat(path).then((info) => info.size, () => 0);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await Deno.rename(from, to).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
