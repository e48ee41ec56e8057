/** What the previous snapshot offers a new backup: known chunks, and for split archives the metadata to compare with. */
import { DozoError, errorMessage } from "../../base/errors.ts";
import { archiveKind, MANIFEST_NAME } from "../../formats/archive_name.ts";
import type { CryptKey } from "../../formats/crypt_key.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";
import type { ChunkIndex } from "../../formats/index_source.ts";
import { Manifest } from "../../formats/manifest.ts";
import type { BackupSession } from "../../protocol/backup_client/backup_session.ts";
import { localTimeText } from "../local_time.ts";
import { checkIndex } from "../restore/snapshot_source.ts";

/** Tells the user something, one line. */
export type Log = (line: string) => void;

/** The previous snapshot of a session, if it can be used. */
export class PreviousSnapshot {
  readonly manifest: Manifest;
  readonly #session: BackupSession;
  readonly #log: Log;

  private constructor(manifest: Manifest, session: BackupSession, log: Log) {
    this.manifest = manifest;
    this.#session = session;
    this.#log = log;
  }

  /**
   * Loads the previous manifest. Undefined when there is none, or when it was made with another key: the backup then
   * sends everything (`spec/manifest-and-crypto.md` §3.1).
   */
  static async load(
    session: BackupSession,
    key: CryptKey | undefined,
    log: Log,
  ): Promise<PreviousSnapshot | undefined> {
    const time = await session.previousBackupTime();
    if (time === null) {
      log("No previous manifest available.");
      return undefined;
    }
    log(`Downloading previous manifest (${localTimeText(time)})`);
    try {
      const manifest = await Manifest.decode(await session.previous(MANIFEST_NAME));
      if (key) manifest.verify(key);
      manifest.checkKey(key);
      return new PreviousSnapshot(manifest, session, log);
    } catch (error) {
      log(`Couldn't re-use previous manifest - ${errorMessage(error)}`);
      return undefined;
    }
  }

  /** The index of the same archive with its chunks registered as known on both sides; undefined when it cannot be used. */
  async index(storedName: string): Promise<ChunkIndex | undefined> {
    const file = this.manifest.find(storedName);
    if (!file) {
      this.#log(`Previous manifest does not contain an archive called '${storedName}', skipping download..`);
      return undefined;
    }
    try {
      const bytes = await this.#session.previous(storedName);
      const index = archiveKind(storedName) === "fixed" ? new FixedIndex(bytes) : new DynamicIndex(bytes);
      await checkIndex(index, file);
      for (const { digest, start, end } of index.chunks()) this.#session.knownChunks.add(digest, end - start);
      return index;
    } catch (error) {
      // The registered chunks stay valid; only a connection that broke must not go unnoticed.
      if (!(error instanceof DozoError)) throw error;
      this.#log(`Error downloading previous index '${storedName}' - ${errorMessage(error)}`);
      return undefined;
    }
  }
}
