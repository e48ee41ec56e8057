/** Atomic writing of whole files on a local file system: temporary file, then rename. */
import { AT_FDCWD, renameat2, RenameFlag } from "../../native/fs.ts";
import { codeOf, failure, isMissing } from "./failure.ts";
import { tempName } from "./temp_name.ts";
import type { WriteOptions } from "./contract.ts";

/** How local files are made. */
export interface LocalWrite extends WriteOptions {
  /** Owner that the file gets, when the process may set it. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

const FILE_MODE = 0o644;
const ATTEMPTS = 10;

/**
 * Writes a temporary file beside `path` and returns its name. The caller renames it. On an error nothing is left behind.
 * With `durable` the content is on stable storage.
 */
export async function writeTemp(
  path: string,
  parts: readonly Uint8Array<ArrayBuffer>[],
  options: LocalWrite,
): Promise<string> {
  const { temp, file } = await createTemp(path);
  try {
    for (const part of parts) {
      for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
    }
    if (options.owner) await Deno.chown(temp, options.owner.uid, options.owner.gid);
    if (options.durable) await file.sync();
    file.close();
    return temp;
  } catch (error) {
    closeQuietly(file);
    await Deno.remove(temp).catch(() => {});
    throw error;
  }
}

async function createTemp(path: string): Promise<{ temp: string; file: Deno.FsFile }> {
  for (let attempt = 1;; attempt++) {
    const temp = tempName(path);
    try {
      return { temp, file: await Deno.open(temp, { write: true, createNew: true, mode: FILE_MODE }) };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists) || attempt === ATTEMPTS) throw error;
    }
  }
}

function closeQuietly(file: Deno.FsFile): void {
  try {
    file.close();
  } catch {
    // Already closed: the write itself had succeeded.
  }
}

/** As `StorageBackend.writeEntry` for the local path `path`. */
export async function writeWhole(
  path: string,
  parts: readonly Uint8Array<ArrayBuffer>[],
  options: LocalWrite,
): Promise<boolean> {
  let temp: string | undefined;
  try {
    temp = await writeTemp(path, parts, options);
    if (options.exclusive) {
      if (!await renameToFree(temp, path)) return false;
      temp = undefined;
    } else {
      await Deno.rename(temp, path);
      temp = undefined;
    }
    if (options.durable) await syncDirectory(path.slice(0, path.lastIndexOf("/")));
    return true;
  } catch (error) {
    throw failure(`unable to write "${path}"`, error);
  } finally {
    if (temp !== undefined) await Deno.remove(temp).catch(() => {});
  }
}

/** Renames unless the target exists (then false). Network file systems know no such rename, but hard links do the same. */
async function renameToFree(from: string, to: string): Promise<boolean> {
  try {
    try {
      renameat2(AT_FDCWD, from, AT_FDCWD, to, RenameFlag.NOREPLACE);
    } catch (error) {
      if (codeOf(error) !== "EINVAL" && codeOf(error) !== "ENOSYS") throw error;
      await Deno.link(from, to);
      await Deno.remove(from);
    }
    return true;
  } catch (error) {
    if (codeOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Forces the names in a directory to stable storage. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await Deno.open(path, { read: true });
  try {
    await directory.sync();
  } finally {
    directory.close();
  }
}

/** Creates a directory with missing parents below `base`; false when it existed. New ones get `owner`. */
export async function makeDirectories(
  base: string,
  path: string,
  owner: LocalWrite["owner"],
): Promise<boolean> {
  try {
    await Deno.mkdir(`${base}/${path}`, { mode: 0o755 });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    const slash = path.lastIndexOf("/");
    if (!isMissing(error) || slash < 0) throw error;
    await makeDirectories(base, path.slice(0, slash), owner);
    return await makeDirectories(base, path, owner);
  }
  if (owner) await Deno.chown(`${base}/${path}`, owner.uid, owner.gid);
  return true;
}
