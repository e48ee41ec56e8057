/** Uploads a directory as one archive (`.pxar`) or as a split pair (`.mpxar`, `.ppxar`). */
import { createArchive } from "../../archive/create.ts";
import type { CreateStats } from "../../archive/create_types.ts";
import type { PreviousArchive, ReusedChunk } from "../../archive/reuse_types.ts";
import { errorMessage } from "../../base/errors.ts";
import { splitArchiveNames } from "../../formats/archive_name.ts";
import { type CatalogWriter } from "../../formats/catalog.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { Chunker } from "../../formats/chunker.ts";
import { InjectingChunker } from "../../formats/injecting_chunker.ts";
import { openReaderSession } from "../../protocol/reader_client/reader_session.ts";
import { ChunkStream } from "../restore/chunk_stream.ts";
import { SnapshotSource } from "../restore/snapshot_source.ts";
import { plainCutter } from "../upload/chunk_cutter.ts";
import { changeReport } from "./report.ts";
import type { BackupRun } from "./run.ts";
import type { BackupSpec } from "./spec.ts";

/** Buffers for metadata streams start small; payload chunks have 4 MiB on average. */
const METADATA_BUFFER = 256 * 1024;

/** Legacy mode: one self-contained stream, listed in `catalog`. */
export async function uploadDirectory(run: BackupRun, spec: BackupSpec, catalog: CatalogWriter): Promise<CreateStats> {
  const name = `${spec.target}.didx`;
  await run.previous?.index(name);
  const upload = await run.startDynamic(name, plainCutter(new Chunker(run.chunkSize)), 2 * run.chunkSize);
  catalog.startDirectory(name);
  const stats = await upload.guard(() =>
    createArchive({ ...run.walk, source: spec.path, archive: upload.sink, catalog, log: run.log, signal: run.signal })
  );
  catalog.endDirectory();
  (await upload.finish()).forEach(run.log);
  return stats;
}

/** Modes `data` and `metadata`: two streams; the latter takes unchanged files over from the previous snapshot. */
export async function uploadSplitDirectory(run: BackupRun, spec: BackupSpec): Promise<CreateStats> {
  const { metadata, payload } = splitArchiveNames(spec.target) as { metadata: string; payload: string };
  const reference = await openReference(run, metadata, payload);
  try {
    const cutter = new InjectingChunker<readonly ReusedChunk[]>(run.chunkSize);
    const archive = await run.startDynamic(metadata, plainCutter(new Chunker(run.chunkSize)), METADATA_BUFFER);
    const data = await run.startDynamic(payload, cutter, 2 * run.chunkSize);
    const stats = await archive.guard(() =>
      data.guard(() =>
        createArchive({
          ...run.walk,
          source: spec.path,
          archive: archive.sink,
          payload: data.sink,
          previous: reference?.archive,
          log: run.log,
          signal: run.signal,
        })
      )
    );
    if (reference) changeReport(stats).forEach(run.log);
    // The manifest lists the payload first, people read about the metadata first.
    const payloadReport = await data.finish();
    [...await archive.finish(), ...payloadReport].forEach(run.log);
    return stats;
  } finally {
    await reference?.close();
  }
}

interface Reference {
  readonly archive: PreviousArchive;
  close(): Promise<void>;
}

/**
 * The previous pair, if change detection can use it: same names, same crypt mode (`spec/pxar.md` §9.1). Any trouble with
 * it only means that all files are read.
 */
async function openReference(run: BackupRun, metadata: string, payload: string): Promise<Reference | undefined> {
  const { previous } = run;
  if (!previous) return undefined;
  const metadataIndex = await previous.index(metadata);
  const payloadIndex = await previous.index(payload);
  if (!run.detectChanges || !metadataIndex || !(payloadIndex instanceof DynamicIndex)) return undefined;
  const modes = [metadata, payload].map((name) => previous.manifest.file(name)["crypt-mode"]);
  if (modes.some((mode) => mode !== run.cryptMode)) {
    run.log(`Previous archive has another crypt mode, reading all files of '${metadata}'`);
    return undefined;
  }
  try {
    const target = { ...run.target, backupTime: previous.manifest.backupTime };
    const session = await openReaderSession(await run.server.address(), target, { signal: run.signal });
    try {
      const source = await SnapshotSource.open(session, run.key);
      const stream = new ChunkStream(source, await source.archive(metadata));
      run.log(`Using previous index as metadata reference for '${metadata}'`);
      const close = async () => {
        await stream.close();
        await session.close();
      };
      return { archive: { metadata: stream, index: payloadIndex }, close };
    } catch (error) {
      await session.close();
      throw error;
    }
  } catch (error) {
    run.log(`Couldn't use the previous archive for change detection - ${errorMessage(error)}`);
    return undefined;
  }
}
