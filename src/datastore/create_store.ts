/** Making a new directory store and checking one that is to be adopted (`spec/datastore-layout.md` §3). */
import { fromHex } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { encodeBlob } from "../formats/blob.ts";
import { chunkDirectoryName, chunkPath } from "./backend/chunk_path.ts";
import type { DirectoryBackend } from "./backend/directory.ts";
import type { FileOwner } from "./backend/file_owner.ts";
import { codeOf, failure, isMissing } from "./backend/failure.ts";

/** Receives progress of a long operation: a fraction from 0 to 1. */
export type Progress = (fraction: number) => void;

const DIRECTORIES = 0x10000;
const BATCH = 1024;
const ZERO_CHUNK_SIZE = 4 * 1024 * 1024;
const ZERO_DIGEST = fromHex("bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8");
const CLOCK_STEP_MS = 1000;

/**
 * Creates the tree of a new store. The directory may exist but must be empty apart from dot names and `lost+found`.
 * When it fails, what was made is removed again.
 */
export async function createStore(
  base: string,
  owner: FileOwner | undefined,
  progress: Progress = () => {},
): Promise<void> {
  await checkEmpty(base);
  const chunks = `${base}/.chunks`;
  try {
    await Deno.mkdir(base, { recursive: true });
    await settle(base, 0o755, owner);
    await Deno.mkdir(chunks);
    await settle(chunks, 0o750, owner);
    await Deno.writeFile(`${base}/.lock`, new Uint8Array(), { createNew: true });
    await settle(`${base}/.lock`, 0o644, owner);
    for (let first = 0; first < DIRECTORIES; first += BATCH) {
      makeBatch(chunks, first, owner);
      progress((first + BATCH) / DIRECTORIES);
      await new Promise((resolve) => setTimeout(resolve));
    }
  } catch (error) {
    await Deno.remove(chunks, { recursive: true }).catch(() => {});
    await Deno.remove(`${base}/.lock`).catch(() => {});
    throw failure(`unable to create a datastore in "${base}"`, error);
  }
}

async function checkEmpty(base: string): Promise<void> {
  if (!base.startsWith("/") || base === "/") {
    throw new DozoError(`datastore path "${base}" must be absolute and not "/"`);
  }
  try {
    for await (const { name } of Deno.readDir(base)) {
      if (name === ".chunks" || name === ".lock") {
        throw new DozoError(`"${base}" already holds a datastore (${name} exists); reuse it or choose another path`);
      }
      if (!name.startsWith(".") && name !== "lost+found") {
        throw new DozoError(`datastore path "${base}" is not empty (it holds "${name}"); choose an empty directory`);
      }
    }
  } catch (error) {
    if (codeOf(error) !== "ENOENT") throw failure(`unable to use "${base}" for a datastore`, error);
  }
}

/** Synchronous in batches: 65536 round trips through the thread pool take ten times as long. */
function makeBatch(chunks: string, first: number, owner: FileOwner | undefined): void {
  const umask = Deno.umask(0o027);
  try {
    for (let n = first; n < first + BATCH; n++) {
      const path = `${chunks}/${chunkDirectoryName(n)}`;
      Deno.mkdirSync(path, { mode: 0o750 });
      if (owner) Deno.chownSync(path, owner.uid, owner.gid);
    }
  } finally {
    Deno.umask(umask);
  }
}

async function settle(path: string, mode: number, owner: FileOwner | undefined): Promise<void> {
  await Deno.chmod(path, mode);
  if (owner) await Deno.chown(path, owner.uid, owner.gid);
}

/**
 * Checks that a directory is a complete store: base, `.chunks`, each of its directories and `.lock` with the owner and
 * mode they must have (owner: `owner`, else the user of the process).
 */
export async function checkAdoptable(
  base: string,
  owner: FileOwner | undefined,
  progress: Progress = () => {},
): Promise<void> {
  const expected = owner ?? { uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
  checkOne(base, 0o755, expected, "directory");
  checkOne(`${base}/.chunks`, 0o750, expected, "directory");
  checkOne(`${base}/.lock`, 0o644, expected, "file");
  for (let first = 0; first < DIRECTORIES; first += BATCH) {
    for (let n = first; n < first + BATCH; n++) {
      checkOne(`${base}/.chunks/${chunkDirectoryName(n)}`, 0o750, expected, "directory");
    }
    progress((first + BATCH) / DIRECTORIES);
    await new Promise((resolve) => setTimeout(resolve));
  }
}

function checkOne(path: string, mode: number, owner: FileOwner, kind: "file" | "directory"): void {
  let stat: Deno.FileInfo;
  try {
    stat = Deno.lstatSync(path);
  } catch (error) {
    throw failure(`unable to reuse the datastore: "${path}"`, error);
  }
  if (kind === "file" ? !stat.isFile : !stat.isDirectory) {
    throw new DozoError(`unable to reuse the datastore: "${path}" is no ${kind}`);
  }
  if (stat.uid !== owner.uid || stat.gid !== owner.gid) {
    throw new DozoError(
      `unable to reuse the datastore: "${path}" belongs to ${stat.uid}:${stat.gid}, not ${owner.uid}:${owner.gid}; chown it`,
    );
  }
  if (((stat.mode ?? 0) & 0o777) !== mode) {
    const has = ((stat.mode ?? 0) & 0o777).toString(8);
    throw new DozoError(
      `unable to reuse the datastore: "${path}" has mode 0${has}, not 0${mode.toString(8)}; chmod it`,
    );
  }
}

/**
 * Proves that access times can be set on the file system, on which garbage collection rests
 * (`spec/datastore-layout.md` §8.2). Takes a second. Leaves the chunk of 4 MiB zeros in the store.
 */
export async function checkAtime(backend: DirectoryBackend): Promise<void> {
  const path = backend.describe(`.chunks/${chunkPath(ZERO_DIGEST)}`);
  await backend.insertChunk(ZERO_DIGEST, await encodeBlob(new Uint8Array(ZERO_CHUNK_SIZE)), "none");
  for (let attempt = 1;; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, CLOCK_STEP_MS));
    const before = await statOf(path);
    await backend.touchChunk(ZERO_DIGEST);
    const after = await statOf(path);
    if (before && after && before.ino === after.ino) {
      if ((after.atime?.getTime() ?? 0) > (before.atime?.getTime() ?? 0)) return;
      throw new DozoError(
        `the file system of "${backend.base}" does not update access times, so garbage collection would be unsafe; ` +
          "use another file system or mount option",
      );
    }
    if (attempt === 2) throw new DozoError(`the access-time check in "${backend.base}" found its chunk replaced twice`);
  }
}

async function statOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw failure(`unable to look at "${path}"`, error);
  }
}
