/** Downloads from and log uploads to a snapshot over plain HTTP (`spec/reader-protocol.md` §4). */
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { archiveName } from "../../config/schema/mod.ts";
import { decodeBlob, MAX_ENCODED_CHUNK_SIZE } from "../../formats/blob.ts";
import { method, RawResult, type RequestContext } from "../method.ts";
import { ownedStream } from "../owned_stream.ts";
import { archiveStream, fileStream, openIndex, readManifest } from "./archive_stream.ts";
import { aclPathOf, groupOf, SNAPSHOT_PARAMS, snapshotOf } from "./snapshot_params.ts";
import type { SnapshotReader } from "../../datastore/snapshot_reader.ts";
import type { Datastore } from "../../datastore/datastore.ts";

const DOWNLOAD_PARAMS = z.object({ ...SNAPSHOT_PARAMS, "file-name": archiveName() });
type DownloadParams = z.output<typeof DOWNLOAD_PARAMS>;

/** An open snapshot with everything that has to be given back after the download. */
interface OpenSnapshot {
  readonly store: Datastore;
  readonly reader: SnapshotReader;
  readonly release: () => void;
}

/** Checks the rights to read and opens the snapshot. */
export async function openSnapshot(
  params: Parameters<typeof snapshotOf>[0],
  { services, caller }: RequestContext,
): Promise<OpenSnapshot> {
  const mustOwn = caller.requireFullOrOwn(aclPathOf(params), ["Datastore.Read"], ["Datastore.Backup"]);
  const { store, release } = await services.datastores.lease(params.store, "read");
  try {
    if (mustOwn) caller.requireOwner(await store.groups.owner(groupOf(params)));
    const reader = await store.snapshots.open(snapshotOf(params));
    const giveBack = () => {
      reader.close();
      release();
    };
    return { store, reader, release: giveBack };
  } catch (error) {
    release();
    throw error;
  }
}

/** Runs `work` on an open snapshot; the answer takes the snapshot over, an error gives it back. */
export async function withSnapshot(
  params: Parameters<typeof snapshotOf>[0],
  context: RequestContext,
  work: (open: OpenSnapshot) => Promise<RawResult>,
): Promise<RawResult> {
  const open = await openSnapshot(params, context);
  try {
    return await work(open);
  } catch (error) {
    open.release();
    throw error;
  }
}

async function download(params: DownloadParams, context: RequestContext): Promise<RawResult> {
  return await withSnapshot(params, context, async ({ reader, release }) => {
    const file = await reader.openFile(params["file-name"]);
    if (!file) throw new DozoError("File open failed: No such file or directory (os error 2)");
    const close = () => {
      file.close();
      release();
    };
    return new RawResult(ownedStream(fileStream(file), close), {
      "content-type": "application/octet-stream",
      "content-length": String(file.size),
    });
  });
}

async function downloadDecoded(params: DownloadParams, context: RequestContext): Promise<RawResult> {
  const name = params["file-name"];
  return await withSnapshot(params, context, async ({ store, reader, release }) => {
    const manifest = await readManifest(reader);
    if (name.endsWith(".fidx") || name.endsWith(".didx")) {
      const index = await openIndex(reader, manifest, name);
      return new RawResult(ownedStream(archiveStream(store.chunks, index), release), {
        "content-type": "application/octet-stream",
        "content-length": String(index.size),
      });
    }
    if (!name.endsWith(".blob")) {
      throw new DozoError(`cannot download '${name}': only blobs and indexes can be decoded`);
    }
    if (manifest.find(name)?.["crypt-mode"] === "encrypt") {
      throw new DozoError(`cannot decode '${name}' - is encrypted`);
    }
    const blob = await reader.readFile(name);
    if (!blob) throw new DozoError("File open failed: No such file or directory (os error 2)");
    const data = await decodeBlob(blob);
    release();
    return new RawResult(data);
  });
}

export const DOWNLOAD_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/download",
    description: "A file of a snapshot as it is stored.",
    params: DOWNLOAD_PARAMS,
    permission: { user: "all" },
    kind: "download",
    handler: download,
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/download-decoded",
    description: "The plain content of an unencrypted file of a snapshot.",
    params: DOWNLOAD_PARAMS,
    permission: { user: "all" },
    kind: "download",
    handler: downloadDecoded,
  }),
  method({
    verb: "POST",
    path: "/admin/datastore/{store}/upload-backup-log",
    description: "Store the log of the client beside a snapshot, once.",
    params: z.object(SNAPSHOT_PARAMS),
    permission: { user: "all" },
    kind: "upload",
    handler: async (params, { services, caller, readBody }) => {
      caller.requireAny(aclPathOf(params), "Datastore.Backup");
      const store = await services.datastores.open(params.store, "write");
      caller.requireOwner(await store.groups.owner(groupOf(params)));
      await store.snapshots.uploadLog(snapshotOf(params), await readBody(MAX_ENCODED_CHUNK_SIZE));
    },
  }),
];
