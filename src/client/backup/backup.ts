/** A backup from start to finish: `spec/backup-protocol.md` §12.1. */
import { readFileSync } from "node:fs";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { CATALOG_NAME, ENCRYPTED_KEY_NAME, MANIFEST_NAME, storedName } from "../../formats/archive_name.ts";
import { formatSnapshot } from "../../formats/backup_path.ts";
import { MAX_CHUNK_SIZE } from "../../formats/blob.ts";
import { CatalogWriter } from "../../formats/catalog.ts";
import { CATALOG_CHUNK_SIZE, Chunker } from "../../formats/chunker.ts";
import { type CryptMode, Manifest } from "../../formats/manifest.ts";
import { wrapKey } from "../../formats/rsa_key.ts";
import { type BackupSession, openBackupSession } from "../../protocol/backup_client/backup_session.ts";
import type { SessionTarget } from "../../protocol/server_address.ts";
import type { OpenedKey } from "../key_choice.ts";
import { formatRepository } from "../repository.ts";
import type { Server } from "../server.ts";
import { plainCutter } from "../upload/chunk_cutter.ts";
import type { UploadCounters } from "../upload/chunk_upload.ts";
import type { RateLimit } from "../upload/rate_limit.ts";
import { uploadDirectory, uploadSplitDirectory } from "./directory.ts";
import type { WalkOptions } from "./walk_options.ts";
import { uploadImage } from "./image.ts";
import { type Log, PreviousSnapshot } from "./previous.ts";
import { type ArchiveUpload, BackupRun } from "./run.ts";
import { type BackupSpec, checkSources } from "./spec.ts";

/** How unchanged files are found. */
export type ChangeDetection = "legacy" | "data" | "metadata";

/** Everything that a backup needs to know. */
export interface BackupOptions {
  readonly server: Server;
  readonly target: SessionTarget;
  readonly specs: readonly BackupSpec[];
  readonly cryptMode: CryptMode;
  readonly key?: OpenedKey;
  /** PEM text of the public master key. */
  readonly masterKey?: string;
  readonly changeDetection: ChangeDetection;
  /** Average chunk size of directory archives in bytes. */
  readonly chunkSize: number;
  readonly walk: WalkOptions;
  /** A server that keeps its chunks in an object store shall not keep them in its cache as well. */
  readonly noCache?: boolean;
  readonly rate?: RateLimit;
  readonly counters: UploadCounters;
  /** Minutes that local time is ahead of UTC, for times in the wrapped key. */
  readonly utcOffset: (epoch: number) => number;
  readonly log: Log;
  readonly signal?: AbortSignal;
}

/**
 * Makes the snapshot. When it resolves, the server has it on stable storage; when it rejects, the server has removed
 * what was there of it.
 */
export async function backup(options: BackupOptions): Promise<void> {
  checkSources(options.specs);
  const { server, target, noCache, signal } = options;
  const session = await openBackupSession(await server.address(), target, { noCache, signal });
  try {
    await runSession(options, session);
    await session.finish();
  } catch (error) {
    session.abort(error instanceof Error ? error : undefined);
    throw error;
  }
}

async function runSession(options: BackupOptions, session: BackupSession): Promise<void> {
  const { target, key, log } = options;
  const snapshot = { type: target.backupType, id: target.backupId, time: target.backupTime };
  const manifest = Manifest.create(snapshot);
  const previous = await PreviousSnapshot.load(session, key?.key, log);
  const run = new BackupRun({
    server: options.server,
    session,
    target,
    manifest,
    previous,
    cryptMode: options.cryptMode,
    key: key?.key,
    chunkSize: options.chunkSize,
    detectChanges: options.changeDetection === "metadata",
    walk: options.walk,
    rate: options.rate,
    counters: options.counters,
    log,
    signal: options.signal,
  });
  const catalog = new CatalogUpload(run);
  for (const spec of options.specs) await uploadSpec(options, run, spec, catalog);
  await catalog.finish();
  if (options.masterKey !== undefined && key) await uploadWrappedKey(options, run, key, options.masterKey);
  if (key) manifest.sign(key.key);
  try {
    await session.uploadBlob(MANIFEST_NAME, await manifest.encode());
  } catch (error) {
    throw new DozoError(`unable to upload the manifest of ${formatSnapshot(snapshot)}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

async function uploadSpec(options: BackupOptions, run: BackupRun, spec: BackupSpec, catalog: CatalogUpload) {
  const repository = formatRepository(options.server.repository);
  const announce = (kind: string, name: string) =>
    options.log(`Upload ${kind} '${spec.path}' to '${repository}' as ${name}`);
  switch (spec.type) {
    case "pxar":
      if (options.changeDetection === "legacy") {
        announce("directory", `${spec.target}.didx`);
        await uploadDirectory(run, spec, await catalog.writer());
      } else {
        announce("directory", `${spec.name}.mpxar.didx`);
        await uploadSplitDirectory(run, spec);
      }
      break;
    case "img":
      announce("image", `${spec.target}.fidx`);
      await uploadImage(run, spec);
      break;
    default:
      announce(spec.type === "log" ? "log file" : "config file", `${spec.target}.blob`);
      await run.uploadBlob(storedName(spec.target), readSmallFile(spec.path), {
        encrypt: options.cryptMode === "encrypt",
        compress: true,
      });
  }
}

async function uploadWrappedKey(options: BackupOptions, run: BackupRun, key: OpenedKey, masterKey: string) {
  const repository = formatRepository(options.server.repository);
  options.log(`Upload RSA encoded key to '${repository}' as ${ENCRYPTED_KEY_NAME}`);
  const wrapped = await wrapKey(masterKey, key.key, {
    created: key.file.created,
    modified: Math.floor(Date.now() / 1000),
    utcOffset: options.utcOffset,
  });
  await run.uploadBlob(ENCRYPTED_KEY_NAME, wrapped, { encrypt: false, compress: false });
}

function readSmallFile(path: string): Uint8Array {
  const { size } = Deno.statSync(path);
  if (size > MAX_CHUNK_SIZE) {
    throw new DozoError(
      `'${path}' has ${size} bytes, but .conf and .log archives hold at most ${MAX_CHUNK_SIZE}: back it up as .img`,
    );
  }
  return readFileSync(path);
}

/** The catalog of all legacy archives of the snapshot; opened with the first of them, closed after the last. */
class CatalogUpload {
  readonly #run: BackupRun;
  #upload?: ArchiveUpload;
  #writer?: CatalogWriter;

  constructor(run: BackupRun) {
    this.#run = run;
  }

  async writer(): Promise<CatalogWriter> {
    if (!this.#writer) {
      const upload = await this.#run.startDynamic(
        CATALOG_NAME,
        plainCutter(new Chunker(CATALOG_CHUNK_SIZE)),
        CATALOG_CHUNK_SIZE,
      );
      this.#upload = upload;
      // The catalog is a thousandth of what it lists: it may run ahead of its upload.
      this.#writer = new CatalogWriter((bytes) => void Promise.resolve(upload.sink.write(bytes)).catch(() => {}));
    }
    return this.#writer;
  }

  async finish(): Promise<void> {
    this.#writer?.finish();
    (await this.#upload?.finish())?.forEach(this.#run.log);
  }
}
