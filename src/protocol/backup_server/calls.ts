/** The calls of a backup session (`spec/backup-protocol.md` §7). */
import { fromHex, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import type { BackupWriter } from "../../datastore/backup_writer.ts";
import type { ChunkStore } from "../../datastore/chunk_store.ts";
import { archiveKind, isStoredName } from "../../formats/archive_name.ts";
import { verifyBlobCrc } from "../../formats/blob.ts";
import type { FinishedIndex } from "../../formats/index_source.ts";
import type { RequestBody } from "../http2/types.ts";
import { type Call, call, dataCall, RawAnswer } from "../session/router.ts";
import type { SessionLog } from "../session/types.ts";
import { logIndex } from "./index_log.ts";
import { DynamicSessionWriter, FixedSessionWriter } from "./index_writers.ts";
import {
  appendParameters,
  blobParameters,
  chunkParameters,
  closeParameters,
  dynamicIndexParameters,
  fixedIndexParameters,
  MAX_UPLOAD,
  noParameters,
  previousParameters,
} from "./parameters.ts";
import { openPreviousFixed, readPrevious } from "./previous.ts";
import type { SessionState } from "./session_state.ts";
import { storeChunk } from "./upload_chunk.ts";

/** What the calls work on. */
export interface SessionParts {
  readonly state: SessionState;
  readonly writer: BackupWriter;
  readonly chunks: ChunkStore;
  readonly log: SessionLog;
}

type AnyWriter = FixedSessionWriter | DynamicSessionWriter;

/** The table of calls, by method and name. */
export function backupCalls(parts: SessionParts): Record<string, Call> {
  const { state, writer } = parts;
  const fixed = (wid: number) => state.fixedWriter(wid);
  const dynamic = (wid: number) => state.dynamicWriter(wid);
  return {
    "POST blob": dataCall(blobParameters, (given, body) => uploadBlob(parts, given, body)),
    "POST fixed_index": call(fixedIndexParameters, (given) => openFixed(parts, given)),
    "POST dynamic_index": call(dynamicIndexParameters, (given) => openDynamic(parts, given)),
    "POST fixed_chunk": dataCall(chunkParameters, (given, body) => uploadChunk(parts, fixed, given, body)),
    "POST dynamic_chunk": dataCall(chunkParameters, (given, body) => uploadChunk(parts, dynamic, given, body)),
    "PUT fixed_index": call(appendParameters, (given) => append(state, fixed, given)),
    "PUT dynamic_index": call(appendParameters, (given) => append(state, dynamic, given)),
    "POST fixed_close": call(closeParameters(0), (given) => close(parts, fixed, given)),
    "POST dynamic_close": call(closeParameters(1), (given) => close(parts, dynamic, given)),
    "GET previous": dataCall(
      previousParameters,
      async (given) => new RawAnswer(await readPrevious(state, writer, given["archive-name"])),
    ),
    "GET previous_backup_time": call(noParameters, () => writer.previous?.time ?? null),
    "POST speedtest": dataCall(noParameters, async (_given, body) => {
      await body.discard();
      return null;
    }),
    "POST finish": call(noParameters, () => finish(parts)),
  };
}

async function uploadBlob(
  { state, writer, log }: SessionParts,
  given: { "file-name": string; "encoded-size": number },
  body: RequestBody,
): Promise<null> {
  const name = given["file-name"];
  if (!isStoredName(name) || archiveKind(name) !== "blob") throw new DozoError(`wrong blob file extension: '${name}'`);
  state.checkBlobAllowed();
  const blob = await body.readAll(MAX_UPLOAD, given["encoded-size"]);
  if (blob.length !== given["encoded-size"]) {
    throw new DozoError(`got blob with unexpected length (${given["encoded-size"]} != ${blob.length})`);
  }
  await verifyBlobCrc(blob);
  state.checkBlobAllowed();
  await writer.write(name, [blob]);
  state.blobStored(blob.length);
  log.line(`add blob "${name}" (${blob.length} bytes)`);
  return null;
}

async function openFixed(
  { state, writer, log }: SessionParts,
  given: { "archive-name": string; size?: number; "reuse-csum"?: string },
): Promise<number> {
  const { "archive-name": name, size, "reuse-csum": reuse } = given;
  checkExtension(name, "fixed");
  state.checkOpen();
  const base = reuse === undefined ? undefined : await reusable(writer, name, size, reuse);
  const index = state.addWriter((wid) => {
    const made = new FixedSessionWriter(wid, name, epochSeconds(), size);
    if (base) made.reuse(base);
    return made;
  });
  log.line(`created new fixed index ${index.wid} ("${name}")`);
  return index.wid;
}

/** The previous index for `reuse-csum`, after all checks but that of the number of entries. */
async function reusable(writer: BackupWriter, name: string, size: number | undefined, csum: string) {
  if (size === undefined) throw new DozoError("size is required for incremental backups");
  if (!writer.previous) throw new DozoError("cannot reuse index - no valid previous backup exists");
  const base = await openPreviousFixed(writer, name);
  if (!base) throw new DozoError("cannot reuse index - no previous backup exists for archive");
  const own = toHex(await base.csum());
  if (own !== csum) {
    throw new DozoError(`expected csum (${csum}) doesn't match last backup's (${own}), cannot do incremental backup`);
  }
  return base;
}

function openDynamic({ state, log }: SessionParts, given: { "archive-name": string }): number {
  const name = given["archive-name"];
  checkExtension(name, "dynamic");
  const index = state.addWriter((wid) => new DynamicSessionWriter(wid, name, epochSeconds()));
  log.line(`created new dynamic index ${index.wid} ("${name}")`);
  return index.wid;
}

function checkExtension(name: string, kind: "fixed" | "dynamic"): void {
  if (!isStoredName(name) || archiveKind(name) !== kind) throw new DozoError(`wrong archive extension: '${name}'`);
}

async function uploadChunk(
  { state, chunks }: SessionParts,
  writerOf: (wid: number) => AnyWriter,
  given: { wid: number; digest: string; size: number; "encoded-size": number },
  body: RequestBody,
): Promise<string> {
  const announced = given["encoded-size"];
  state.checkOpen();
  const blob = await body.readAll(MAX_UPLOAD, announced, true);
  if (blob.length > announced) throw new DozoError("uploaded chunk is larger than announced.");
  if (blob.length < announced) throw new DozoError("uploaded chunk has unexpected size.");
  const chunk = { digest: fromHex(given.digest), size: given.size, blob };
  const stored = await storeChunk(chunks, chunk);
  state.addChunk(writerOf(given.wid), chunk, stored);
  return given.digest;
}

function append(
  state: SessionState,
  writerOf: (wid: number) => AnyWriter,
  given: { wid: number; "digest-list": string[]; "offset-list": number[] },
): null {
  const { "digest-list": digests, "offset-list": offsets } = given;
  if (digests.length !== offsets.length) {
    throw new DozoError(`offset list has wrong length (${offsets.length} != ${digests.length})`);
  }
  const writer = writerOf(given.wid);
  digests.forEach((digest, i) => writer.append(state.use(fromHex(digest), offsets[i])));
  return null;
}

async function close(
  { state, writer, log }: SessionParts,
  writerOf: (wid: number) => AnyWriter,
  given: { wid: number; "chunk-count": number; size: number; csum: string },
): Promise<null> {
  if (!/^[0-9a-fA-F]{64}$/.test(given.csum)) throw new DozoError("Invalid string length: csum has 64 hex digits");
  const index = writerOf(given.wid);
  const claim = { chunkCount: given["chunk-count"], size: given.size, csum: given.csum.toLowerCase() };
  const finished: FinishedIndex = await index.close(claim, (built) => writer.write(index.name, built.parts));
  state.closed(index);
  logIndex(log, index, finished);
  return null;
}

async function finish({ state, writer, log }: SessionParts): Promise<null> {
  await state.finish(() => writer.finish(state.stats));
  log.line("successfully finished backup");
  return null;
}

function epochSeconds(): number {
  return Math.floor(Date.now() / 1000);
}
