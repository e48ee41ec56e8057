/** The directory back end: one datastore in a local directory tree, laid out as PBS does (`spec/datastore-layout.md` §2). */
import { DozoError } from "../../base/errors.ts";
import { statfs, syncfs } from "../../native/fs.ts";
import type { InsertResult, SpaceStatus, StoredFile, SyncLevel } from "../types.ts";
import type { ChunkEntry, DirectoryEntry, EntryStat, StorageBackend, WriteOptions } from "./contract.ts";
import { ChunkDirectory } from "./chunk_directory.ts";
import { walkChunks } from "./chunk_walk.ts";
import { failure, isMissing } from "./failure.ts";
import type { FileOwner } from "./file_owner.ts";
import { makeDirectories, writeWhole } from "./local_write.ts";
import { openStoredFile, readWhole } from "./stored_file.ts";

/** A datastore in a directory. Opening needs no preparation: nothing is read or held before the first call. */
export class DirectoryBackend implements StorageBackend {
  readonly type = "filesystem";
  readonly base: string;
  readonly #owner?: FileOwner;
  readonly #chunks: ChunkDirectory;

  /**
   * `base`: absolute path without a trailing slash. `lockDirectory`: that of the store. `owner`: whom new files are given
   * to, when the process may do so.
   */
  constructor(base: string, lockDirectory: string, owner?: FileOwner) {
    this.base = base;
    this.#owner = owner;
    this.#chunks = new ChunkDirectory(`${base}/.chunks`, lockDirectory, owner);
  }

  describe(path: string): string {
    return path === "" ? this.base : `${this.base}/${path}`;
  }

  async list(path: string): Promise<DirectoryEntry[] | undefined> {
    const entries: DirectoryEntry[] = [];
    try {
      if (!(await Deno.lstat(this.describe(path))).isDirectory) return undefined;
      for await (const { name, isFile, isDirectory } of Deno.readDir(this.describe(path))) {
        entries.push({ name, kind: isFile ? "file" : isDirectory ? "directory" : "other" });
      }
      return entries;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failure(`unable to read directory "${this.describe(path)}"`, error);
    }
  }

  async stat(path: string): Promise<EntryStat | undefined> {
    try {
      const stat = await Deno.lstat(this.describe(path));
      const kind = stat.isFile ? "file" : stat.isDirectory ? "directory" : "other";
      const mtime = stat.mtime?.getTime() ?? 0;
      const version = `${stat.dev}:${stat.ino}:${mtime}:${stat.ctime?.getTime()}:${stat.size}`;
      return { kind, size: stat.size, mtime: Math.floor(mtime / 1000), version };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failure(`unable to look at "${this.describe(path)}"`, error);
    }
  }

  async createDirectory(path: string): Promise<boolean> {
    try {
      return await makeDirectories(this.base, path, this.#owner);
    } catch (error) {
      throw failure(`unable to create directory "${this.describe(path)}"`, error);
    }
  }

  async removeTree(path: string): Promise<void> {
    if (path === "") throw new DozoError("refusing to remove the base directory of a datastore");
    try {
      await Deno.remove(this.describe(path), { recursive: true });
    } catch (error) {
      if (!isMissing(error)) throw failure(`unable to remove "${this.describe(path)}"`, error);
    }
  }

  async removeDirectory(path: string): Promise<boolean> {
    try {
      if (!(await Deno.lstat(this.describe(path))).isDirectory) return false;
      await Deno.remove(this.describe(path));
      return true;
    } catch (error) {
      if (isMissing(error) || (error as { code?: string }).code === "ENOTEMPTY") return false;
      throw failure(`unable to remove directory "${this.describe(path)}"`, error);
    }
  }

  async moveTree(from: string, to: string): Promise<void> {
    if (await this.stat(to)) throw new DozoError(`unable to move to "${this.describe(to)}" - it exists already`);
    try {
      await Deno.rename(this.describe(from), this.describe(to));
    } catch (error) {
      throw failure(`unable to move "${this.describe(from)}" to "${this.describe(to)}"`, error);
    }
  }

  readEntry(path: string, limit: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readWhole(this.describe(path), limit);
  }

  openEntry(path: string): Promise<StoredFile | undefined> {
    return openStoredFile(this.describe(path));
  }

  writeEntry(path: string, parts: readonly Uint8Array<ArrayBuffer>[], options: WriteOptions = {}): Promise<boolean> {
    return writeWhole(this.describe(path), parts, { ...options, owner: this.#owner });
  }

  async removeEntry(path: string): Promise<boolean> {
    try {
      await Deno.remove(this.describe(path));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failure(`unable to remove "${this.describe(path)}"`, error);
    }
  }

  insertChunk(digest: Uint8Array, blob: Uint8Array<ArrayBuffer>, sync: SyncLevel): Promise<InsertResult> {
    return this.#chunks.insert(digest, blob, sync);
  }

  readChunk(digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#chunks.read(digest);
  }

  chunkSize(digest: Uint8Array): Promise<number | undefined> {
    return this.#chunks.size(digest);
  }

  touchChunk(digest: Uint8Array): Promise<boolean> {
    return this.#chunks.touch(digest);
  }

  touchBadChunks(digest: Uint8Array): Promise<number> {
    return this.#chunks.touchBad(digest);
  }

  renameCorruptChunk(digest: Uint8Array): Promise<number | undefined> {
    return this.#chunks.renameCorrupt(digest);
  }

  chunks(): AsyncIterable<ChunkEntry> {
    return walkChunks(`${this.base}/.chunks`);
  }

  removeChunk(digest: Uint8Array, bad: number | undefined, olderThan: number): Promise<boolean> {
    return this.#chunks.remove(digest, bad, olderThan);
  }

  async flush(): Promise<void> {
    try {
      await syncfs(this.base);
    } catch (error) {
      throw failure(`unable to sync the file system of "${this.base}"`, error);
    }
  }

  // deno-lint-ignore require-await -- the contract is asynchronous because other media ask a network service
  async space(): Promise<SpaceStatus> {
    try {
      const { blockSize, blocks, blocksFree, blocksAvailable } = statfs(this.base);
      return {
        total: blocks * blockSize,
        used: (blocks - blocksFree) * blockSize,
        avail: blocksAvailable * blockSize,
      };
    } catch (error) {
      throw failure(`unable to get the free space of "${this.base}"`, error);
    }
  }

  close(): void {}
}
