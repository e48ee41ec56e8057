/** A running reader session (`spec/reader-protocol.md` §2). */
import type { Duplex } from "node:stream";
import { z } from "zod";
import { fromHex } from "../../base/bytes.ts";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { archiveName, sha256Hex } from "../../config/schema/mod.ts";
import type { SnapshotReader } from "../../datastore/snapshot_reader.ts";
import type { SnapshotRef } from "../../datastore/types.ts";
import { archiveKind, isStoredName } from "../../formats/archive_name.ts";
import { formatGroup } from "../../formats/backup_path.ts";
import { serveHttp2 } from "../http2/server.ts";
import type { ServerConnection } from "../http2/types.ts";
import { DigestMap } from "../session/digest_map.ts";
import { openIndex, registerChunks } from "../session/index_file.ts";
import { type Call, dataCall, RawAnswer, sessionHandler } from "../session/router.ts";
import type { SessionLog, StoreLease, UpgradedSession } from "../session/types.ts";

/** Value of the `Upgrade` header. */
export const READER_PROTOCOL = "proxmox-backup-reader-protocol-v1";

/** Chunks that are read and sent at the same time: clients ask for up to twenty, which only would wait in memory. */
const PARALLEL_DOWNLOADS = 8;
const MAX_FILE = 1024 * 1024 * 1024;
const SPEEDTEST = new Uint8Array(1024 * 1024).fill(65);

/** A reader session after all checks. */
export class ReaderSession implements UpgradedSession {
  readonly protocol = READER_PROTOCOL;
  readonly workerType = "reader";
  readonly workerId: string;
  readonly snapshot: SnapshotRef;
  readonly #lease: StoreLease;
  readonly #reader: SnapshotReader;
  /** Chunks of the indexes that were downloaded: only these may be read. */
  readonly #allowed = new DigestMap();
  readonly #unauthorizedDelay: number | undefined;
  #connection: ServerConnection | undefined;
  #aborted: Error | undefined;
  #released = false;

  constructor(lease: StoreLease, reader: SnapshotReader, unauthorizedDelay?: number) {
    this.#unauthorizedDelay = unauthorizedDelay;
    this.#lease = lease;
    this.#reader = reader;
    this.snapshot = reader.snapshot;
    const time = this.snapshot.time.toString(16).toUpperCase().padStart(8, "0");
    this.workerId = `${lease.store.name}:${formatGroup(this.snapshot)}/${time}`;
  }

  async serve(socket: Duplex, head: Uint8Array, log: SessionLog): Promise<void> {
    log.line(`starting new backup reader datastore '${this.#lease.store.name}'`);
    try {
      this.#connection = serveHttp2(socket, head, sessionHandler(this.#calls(log), log, this.#unauthorizedDelay), {
        parallelDownloads: PARALLEL_DOWNLOADS,
      });
      if (this.#aborted) this.#connection.abort(this.#aborted);
      const { error } = await this.#connection.closed;
      const failure = this.#aborted ?? error;
      if (failure) throw new DozoError(`connection error: ${errorMessage(failure)}`, { cause: failure });
      log.line("reader finished successfully");
    } finally {
      await this.cancel();
    }
  }

  #calls(log: SessionLog): Record<string, Call> {
    return {
      "GET download": dataCall(z.object({ "file-name": archiveName() }), async (given) => {
        log.line(`download "${given["file-name"]}"`);
        return new RawAnswer(await this.#download(given["file-name"]));
      }),
      "GET chunk": dataCall(z.object({ digest: sha256Hex() }), async ({ digest }) => {
        const bytes = fromHex(digest);
        if (!this.#allowed.has(bytes)) throw new DozoError(`download chunk ${digest} not allowed`, { status: 401 });
        return new RawAnswer(await this.#lease.store.chunks.read(bytes));
      }),
      "GET speedtest": dataCall(z.object({}), () => new RawAnswer(SPEEDTEST)),
    };
  }

  /** A file of the snapshot. For an index all its chunks may be read from now on. */
  async #download(name: string): Promise<Uint8Array<ArrayBuffer>> {
    if (!isStoredName(name)) throw new DozoError(`unknown archive type: "${name}"`);
    const kind = archiveKind(name);
    const bytes = await this.#reader.readFile(name, MAX_FILE);
    if (kind === "blob") {
      if (bytes) return bytes;
      throw new DozoError(`open file "${this.#reader.describe(name)}" failed - not found`, { status: 404 });
    }
    const index = openIndex(kind, bytes, this.#reader.describe(name));
    await registerChunks(this.#allowed, index);
    return bytes as Uint8Array<ArrayBuffer>;
  }

  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#connection?.abort(reason);
  }

  // deno-lint-ignore require-await -- a backup session has to wait here
  async cancel(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    this.#reader.close();
    this.#lease.release();
  }
}
