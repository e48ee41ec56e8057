/** Looking into the file archives of a snapshot (`spec/reader-protocol.md` §5 and §6). */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { archiveName, flag, text } from "../../config/schema/mod.ts";
import type { Datastore } from "../../datastore/datastore.ts";
import type { SnapshotReader } from "../../datastore/snapshot_reader.ts";
import { splitArchiveNames, storedName } from "../../formats/archive_name.ts";
import { type CatalogEntry, CatalogReader } from "../../formats/catalog.ts";
import type { Manifest } from "../../formats/manifest.ts";
import { type AccessorEntry, PxarAccessor } from "../../formats/pxar/accessor.ts";
import type { PxarEntry } from "../../formats/pxar/entry.ts";
import { FileType } from "../../formats/pxar/metadata.ts";
import { method, RawResult, type RequestContext } from "../method.ts";
import { ownedStream } from "../owned_stream.ts";
import { contentOf } from "./archive_content.ts";
import { openIndex, readManifest } from "./archive_stream.ts";
import { ChunkSource } from "./chunk_source.ts";
import { openSnapshot, withSnapshot } from "./download.ts";
import { SNAPSHOT_PARAMS } from "./snapshot_params.ts";
import { tarDirectory } from "./tar_directory.ts";
import { zipDirectory } from "./zip_directory.ts";

const CATALOG = "catalog.pcat1.didx";

const BROWSE_PARAMS = { ...SNAPSHOT_PARAMS, filepath: text({ max: 8192 }), "archive-name": archiveName().optional() };

/** Components of a path given as Base64; none for the top level. Throws 400 on text that is not Base64. */
function componentsOf(filepath: string): Uint8Array[] {
  if (filepath === "root" || filepath === "/") return [];
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(filepath) || filepath.length % 4 !== 0) {
    throw new DozoError("base64 decoding of path failed - error decoding base64 data");
  }
  const path = new Uint8Array(Buffer.from(filepath, "base64"));
  const components: Uint8Array[] = [];
  for (let at = 0; at < path.length;) {
    const slash = path.indexOf(0x2f, at);
    const end = slash < 0 ? path.length : slash;
    if (end > at) components.push(path.slice(at, end));
    at = end + 1;
  }
  return components;
}

function displayed(components: readonly Uint8Array[]): string {
  return `/${components.map((name) => new TextDecoder().decode(name)).join("/")}`;
}

/** An entry on the wire: its whole path as Base64, as the next call wants it. */
function rowOf(
  parent: readonly Uint8Array[],
  entry: { readonly name: Uint8Array; readonly type: string; readonly size?: number; readonly mtime?: number },
) {
  const path = Buffer.concat([...parent, entry.name].flatMap((name, i) => i === 0 ? [name] : [Buffer.from("/"), name]));
  const filepath = parent.length === 0 ? Buffer.concat([Buffer.from("/"), path]) : path;
  return {
    filepath: filepath.toString("base64"),
    text: new TextDecoder().decode(entry.name),
    type: entry.type,
    leaf: entry.type !== "d",
    ...(entry.size === undefined ? {} : { size: entry.size }),
    ...(entry.mtime === undefined ? {} : { mtime: entry.mtime }),
  };
}

/** Opens a file archive, split or not, by its name in the snapshot. Throws 400 when it is encrypted or no file archive. */
async function openArchive(
  store: Datastore,
  reader: SnapshotReader,
  manifest: Manifest,
  name: string,
): Promise<PxarAccessor> {
  const source = async (stored: string) => new ChunkSource(store.chunks, await openIndex(reader, manifest, stored));
  if (manifest.findSplit(name)) {
    const names = splitArchiveNames(name);
    if (names) {
      return new PxarAccessor(await source(storedName(names.metadata)), await source(storedName(names.payload)));
    }
  }
  if (!name.endsWith(".pxar.didx")) throw new DozoError(`'${name}' is no file archive`);
  return new PxarAccessor(await source(name));
}

const TYPE_LETTERS = { directory: "d", file: "f", symlink: "l", hardlink: "h", fifo: "p", socket: "s" } as const;

/** The letter that the catalog has for the kind of an entry. */
function typeLetter({ kind, metadata }: PxarEntry): string {
  if (kind !== "device") return TYPE_LETTERS[kind];
  return (metadata.mode & FileType.Mask) === FileType.Block ? "b" : "c";
}

async function listCatalog(store: Datastore, reader: SnapshotReader, manifest: Manifest, path: readonly Uint8Array[]) {
  const catalog = await CatalogReader.open(new ChunkSource(store.chunks, await openIndex(reader, manifest, CATALOG)));
  let found: CatalogEntry | undefined;
  if (path.length > 0) {
    found = await catalog.lookup(path);
    if (!found) throw new DozoError(`path "${displayed(path)}" not found in catalog`);
    if (found.block === undefined) throw new DozoError(`path "${displayed(path)}" is no directory`);
  }
  const rows = [];
  for await (const entry of catalog.entries(found?.block)) rows.push(rowOf(path, entry));
  return rows;
}

async function listArchive(archive: PxarAccessor, path: readonly Uint8Array[]) {
  const entry = await archive.lookup(path.slice(1));
  if (!entry) throw new DozoError(`path "${displayed(path)}" not found in the archive`);
  if (entry.kind !== "directory") throw new DozoError(`path "${displayed(path)}" is no directory`);
  const directory = path.length <= 1 ? await archive.root() : await archive.openDirectory(entry);
  const rows = [];
  for await (const child of directory.children()) {
    const isFile = child.kind === "file";
    rows.push(rowOf(path, {
      name: child.name,
      type: typeLetter(child),
      ...(isFile ? { size: child.size, mtime: child.metadata.mtimeSec } : {}),
    }));
  }
  return rows;
}

async function list(
  params: z.output<typeof LIST_PARAMS>,
  context: RequestContext,
): Promise<ReturnType<typeof rowOf>[]> {
  const { store, reader, release } = await openSnapshot(params, context);
  try {
    const manifest = await readManifest(reader);
    const path = componentsOf(params.filepath);
    const name = params["archive-name"];
    if (name === undefined) return await listCatalog(store, reader, manifest, path);
    const archive = await openArchive(store, reader, manifest, storedName(name));
    return await listArchive(archive, path.length > 0 ? path : [new TextEncoder().encode(name)]);
  } finally {
    release();
  }
}

async function download(params: z.output<typeof DOWNLOAD_PARAMS>, context: RequestContext): Promise<RawResult> {
  const path = componentsOf(params.filepath);
  if (path.length === 0) throw new DozoError("the path names no archive");
  return await withSnapshot(params, context, async ({ store, reader, release }) => {
    const manifest = await readManifest(reader);
    const name = params["archive-name"] ?? new TextDecoder().decode(path[0]);
    const archive = await openArchive(store, reader, manifest, storedName(name));
    const inside = path.slice(1);
    const entry: AccessorEntry | PxarEntry | undefined = await archive.lookup(inside);
    if (!entry) throw new DozoError(`error opening '${JSON.stringify(displayed(inside).slice(1))}'`);
    if (entry.kind === "directory") {
      const directory = inside.length === 0
        ? await archive.root()
        : await archive.openDirectory(entry as AccessorEntry);
      const prefix = inside.length === 0 ? new Uint8Array(0) : inside[inside.length - 1];
      const write = params.tar ? tarDirectory : zipDirectory;
      return new RawResult(ownedStream(write(archive, directory, prefix), release));
    }
    const file = entry.kind === "hardlink" ? await archive.resolveHardlink(entry) : entry;
    if (file.kind !== "file") {
      throw new DozoError(`cannot download "${displayed(path)}": it is neither file nor directory`);
    }
    await archive.checkPayload(file);
    return new RawResult(ownedStream(contentOf(archive, file), release), {
      "content-type": "application/octet-stream",
      "content-length": String(file.size),
    });
  });
}

const LIST_PARAMS = z.object(BROWSE_PARAMS);
const DOWNLOAD_PARAMS = z.object({ ...BROWSE_PARAMS, tar: flag() });

export const BROWSE_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/catalog",
    description: "Entries of a directory of a file archive, from the catalog or from the archive itself.",
    params: LIST_PARAMS,
    returns: z.array(z.object({
      filepath: z.string(),
      text: z.string(),
      type: z.string(),
      leaf: z.boolean(),
      size: z.int().optional(),
      mtime: z.int().optional(),
    })),
    permission: { user: "all" },
    handler: list,
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/pxar-file-download",
    description: "A file out of a file archive; a directory comes as a zip file, or with `tar` as a compressed tar.",
    params: DOWNLOAD_PARAMS,
    permission: { user: "all" },
    kind: "download",
    handler: download,
  }),
];
