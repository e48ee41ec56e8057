/** The `.chunks` directory of a local store: insert, read, touch, rename, remove (`spec/datastore-layout.md` §7, §8, §11). */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { blobKind, isEncryptedBlob, MAX_ENCODED_CHUNK_SIZE } from "../../formats/blob.ts";
import { touchAtime } from "../../native/fs.ts";
import type { InsertResult, SyncLevel } from "../types.ts";
import { chunkPath, MAX_BAD } from "./chunk_path.ts";
import type { FileOwner } from "./file_owner.ts";
import { codeOf, failure, isMissing } from "./failure.ts";
import { syncDirectory, writeTemp } from "./local_write.ts";
import { readWhole } from "./stored_file.ts";
import { SweepLocks } from "./sweep_lock.ts";

const HEADER_LENGTH = 44;

/** Chunk files below one directory. */
export class ChunkDirectory {
  readonly #locks: SweepLocks;

  /** `root`: the `.chunks` directory; `lockDirectory`: that of the store. */
  constructor(readonly root: string, lockDirectory: string, readonly owner?: FileOwner) {
    this.#locks = new SweepLocks(lockDirectory, owner);
  }

  /** As `StorageBackend.insertChunk`. */
  async insert(digest: Uint8Array, blob: Uint8Array<ArrayBuffer>, sync: SyncLevel): Promise<InsertResult> {
    const path = this.#path(digest);
    let temp: string | undefined;
    try {
      const known = await this.#inUse(digest, () => this.#kept(path, digest, blob));
      if (known) return known;
      temp = await this.#writeTemp(path, blob, sync === "file");
      // Another session may have stored the same chunk meanwhile: the rules are asked again.
      const name = temp;
      const result = await this.#inUse(digest, async () => {
        const raced = await this.#kept(path, digest, blob);
        if (!raced) await Deno.rename(name, path);
        return raced;
      });
      if (result) return result;
      temp = undefined;
      if (sync === "file") await syncDirectory(directoryOf(path));
      return { duplicate: false, size: blob.length };
    } catch (error) {
      throw failure(`inserting chunk ${toHex(digest)} failed`, error);
    } finally {
      if (temp !== undefined) await Deno.remove(temp).catch(() => {});
    }
  }

  /** As `StorageBackend.readChunk`. */
  read(digest: Uint8Array): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return readWhole(this.#path(digest), MAX_ENCODED_CHUNK_SIZE);
  }

  /** As `StorageBackend.chunkSize`. An empty file is no chunk (a power cut leaves such ones). */
  async size(digest: Uint8Array): Promise<number | undefined> {
    const stat = await this.#stat(this.#path(digest));
    return stat?.isFile && stat.size > 0 ? stat.size : undefined;
  }

  /** As `StorageBackend.touchChunk`. */
  touch(digest: Uint8Array): Promise<boolean> {
    return this.#touch(digest);
  }

  /** As `StorageBackend.touchBadChunks`. */
  async touchBad(digest: Uint8Array): Promise<number> {
    let touched = 0;
    for (let n = 0; n <= MAX_BAD; n++) if (await this.#touch(digest, n)) touched++;
    return touched;
  }

  /** As `StorageBackend.renameCorruptChunk`. */
  async renameCorrupt(digest: Uint8Array): Promise<number | undefined> {
    const path = this.#path(digest);
    return await this.#inUse(digest, async () => {
      let n = 0;
      while (n < MAX_BAD && await this.#stat(this.#path(digest, n))) n++;
      try {
        await Deno.rename(path, this.#path(digest, n));
        return n;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw failure(`unable to rename corrupt chunk "${path}"`, error);
      }
    });
  }

  /** As `StorageBackend.removeChunk`. */
  async remove(digest: Uint8Array, bad: number | undefined, olderThan: number): Promise<boolean> {
    const path = this.#path(digest, bad);
    using _lock = await this.#locks.hold(digest, "exclusive");
    const stat = await this.#stat(path);
    if (!stat?.isFile || (stat.atime?.getTime() ?? 0) / 1000 >= olderThan) return false;
    try {
      await Deno.remove(path);
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failure(`unable to remove chunk "${path}"`, error);
    }
  }

  /**
   * What an insert does with a chunk that is there already: touches and keeps it, refuses, or (undefined) lets it be
   * replaced (`spec/datastore-layout.md` §7).
   */
  async #kept(path: string, digest: Uint8Array, blob: Uint8Array): Promise<InsertResult | undefined> {
    const stat = await this.#stat(path);
    if (!stat) return undefined;
    if (!stat.isFile) throw new DozoError(`got unexpected file type at chunk ${toHex(digest)}`);
    if (stat.size !== blob.length) {
      if (stat.size === 0) return undefined;
      if (isEncryptedBlob(blob)) await refuseOverOther(path, blob);
      else if (stat.size > blob.length) return undefined;
    }
    return touchAtime(path) ? { duplicate: true, size: stat.size } : undefined;
  }

  #touch(digest: Uint8Array, bad?: number): Promise<boolean> {
    const path = this.#path(digest, bad);
    return this.#inUse(digest, () => {
      try {
        return Promise.resolve(touchAtime(path));
      } catch (error) {
        throw failure(`updating atime of chunk "${path}" failed`, error);
      }
    });
  }

  async #writeTemp(path: string, blob: Uint8Array<ArrayBuffer>, durable: boolean): Promise<string> {
    const options = { owner: this.owner, durable };
    try {
      return await writeTemp(path, [blob], options);
    } catch (error) {
      if (codeOf(error) !== "ENOENT") throw error;
      // A chunk directory is missing; the store is not, else this fails again.
      await Deno.mkdir(directoryOf(path), { mode: 0o750 }).catch(() => {});
      if (this.owner) await Deno.chown(directoryOf(path), this.owner.uid, this.owner.gid);
      return await writeTemp(path, [blob], options);
    }
  }

  /** Runs `work` while no process can decide to remove the chunk. */
  async #inUse<T>(digest: Uint8Array, work: () => Promise<T>): Promise<T> {
    using _lock = await this.#locks.hold(digest, "shared");
    return await work();
  }

  async #stat(path: string): Promise<Deno.FileInfo | undefined> {
    try {
      return await Deno.lstat(path);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw failure(`unable to look at chunk "${path}"`, error);
    }
  }

  #path(digest: Uint8Array, bad?: number): string {
    return `${this.root}/${chunkPath(digest, bad)}`;
  }
}

function directoryOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** An encrypted chunk never takes the place of an unencrypted one, nor an uncompressed one that of another uncompressed one. */
async function refuseOverOther(path: string, blob: Uint8Array): Promise<void> {
  const file = await Deno.open(path, { read: true });
  try {
    const header = new Uint8Array(HEADER_LENGTH);
    let filled = 0;
    for (let count; filled < header.length && (count = await file.read(header.subarray(filled))) !== null;) {
      filled += count;
    }
    const old = blobKind(header.subarray(0, filled));
    if (old === "plain" || old === "compressed") {
      throw new DozoError("encrypted chunk would overwrite the unencrypted one with the same digest; refusing");
    }
    if (old === "encrypted" && blobKind(blob) === "encrypted") {
      throw new DozoError("encrypted chunk has another size than the one with the same digest; refusing");
    }
  } finally {
    file.close();
  }
}
