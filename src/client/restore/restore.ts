/** Restores one archive of a snapshot: to a directory, a file or standard output. */
import { extractArchive, extractMatching } from "../../archive/extract.ts";
import type { ExtractOptions, ExtractStats } from "../../archive/extract_types.ts";
import { DozoError } from "../../base/errors.ts";
import {
  archiveKind,
  CLIENT_LOG_NAME,
  ENCRYPTED_KEY_NAME,
  MANIFEST_NAME,
  splitArchiveNames,
} from "../../formats/archive_name.ts";
import type { CryptKey } from "../../formats/crypt_key.ts";
import { decodeBlob, MAX_BLOB_SIZE } from "../../formats/blob.ts";
import { PxarAccessor, PxarDecoder } from "../../formats/pxar/mod.ts";
import { ChunkAccess } from "./chunk_access.ts";
import { ChunkStream } from "./chunk_stream.ts";
import { openOutput } from "./output.ts";
import { restoreImage } from "./image.ts";
import type { SnapshotSource } from "./snapshot_source.ts";

/** What to restore, and how. */
export interface RestoreOptions {
  readonly source: SnapshotSource;
  readonly key?: CryptKey;
  /** Name in client form (`root.pxar`) or as stored. */
  readonly archive: string;
  /** Path, or `-` for standard output. */
  readonly target: string;
  /** For directory archives; `target`, `log` and `signal` are filled in. */
  readonly extract: Omit<ExtractOptions, "target" | "log" | "signal">;
  readonly log: (line: string) => void;
  /** Called now and then with the bytes done and the bytes in all. */
  readonly progress?: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/** Resolves when everything is written. Rejects with {@link DozoError}; what was restored until then stays. */
export async function restore(options: RestoreOptions): Promise<void> {
  const { source, target } = options;
  const { manifest } = source;
  const wanted = options.archive;
  if (wanted === "index.json" || wanted === MANIFEST_NAME) {
    manifest.checkKey(options.key);
    await toOutput(target, new TextEncoder().encode(manifest.toText()), { replace: true });
    return;
  }
  if (wanted === "client.log" || wanted === CLIENT_LOG_NAME) {
    // The log comes after the manifest, which therefore does not list it.
    const encoded = await source.session.download(CLIENT_LOG_NAME, MAX_BLOB_SIZE);
    return await toOutput(target, await decodeBlob(encoded, { key: options.key }));
  }
  const split = manifest.find(wanted) ? undefined : manifest.findSplit(wanted);
  const file = split ? split.metadata : manifest.file(wanted);
  if (file.filename === ENCRYPTED_KEY_NAME && !options.key) {
    options.log("Restoring encrypted key blob without original key - skipping manifest fingerprint check!");
  }
  manifest.checkKey(options.key, file.filename);

  switch (archiveKind(file.filename)) {
    case "blob":
      return await toOutput(target, await source.blob(file.filename));
    case "fixed":
      return await restoreImage(source, await source.archive(file.filename), target, options);
    case "dynamic":
      if (isDirectoryArchive(file.filename)) return await restoreDirectory(options, file.filename);
      return await streamTo(target, new ChunkStream(source, await source.archive(file.filename)));
  }
}

function isDirectoryArchive(name: string): boolean {
  return /\.[mp]?pxar\.didx$/.test(name);
}

async function restoreDirectory(options: RestoreOptions, filename: string): Promise<void> {
  const { source, target, extract, log, signal } = options;
  const names = splitArchiveNames(filename);
  const split = !filename.endsWith(".pxar.didx") && names;
  if (target === "-") {
    if (split) {
      throw new DozoError("a split archive consists of two streams and cannot go to standard output: name a directory");
    }
    return await streamTo(target, new ChunkStream(source, await source.archive(filename)));
  }
  const archive = await source.archive(split ? split.metadata : filename);
  const payload = split ? await source.archive(split.payload) : undefined;
  const all = { ...extract, target, log, signal };
  let stats: ExtractStats;
  if (extract.patterns?.length) {
    const accessor = new PxarAccessor(new ChunkAccess(source, archive), payload && new ChunkAccess(source, payload));
    stats = await extractMatching(accessor, all);
  } else {
    const main = new ChunkStream(source, archive);
    const data = payload && new ChunkStream(source, payload);
    const watched = data ?? main;
    const timer = setInterval(() => options.progress?.(watched.position, watched.size), 500);
    try {
      stats = await extractArchive(new PxarDecoder(main, data ? { payload: data } : {}), all);
    } finally {
      clearInterval(timer);
      await main.close();
      await data?.close();
    }
  }
  if (stats.errors > 0) throw new DozoError(`there were errors: ${stats.errors} entries could not be restored`);
}

async function streamTo(target: string, stream: ChunkStream): Promise<void> {
  const output = openOutput(target);
  try {
    for (let bytes = await stream.pull(); bytes; bytes = await stream.pull()) await output.write(bytes);
    output.close();
  } catch (error) {
    output.discard();
    throw error;
  } finally {
    await stream.close();
  }
}

async function toOutput(target: string, bytes: Uint8Array, options: { replace?: boolean } = {}): Promise<void> {
  const output = openOutput(target, options);
  try {
    await output.write(bytes);
    output.close();
  } catch (error) {
    output.discard();
    throw error;
  }
}
