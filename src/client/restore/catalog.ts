/** Lists the files of a snapshot, from its catalog or from the metadata streams of split archives. */
import { CatalogReader } from "../../formats/catalog.ts";
import { CATALOG_NAME } from "../../formats/archive_name.ts";
import { concatBytes } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { FileType, PxarDecoder, type PxarEntry } from "../../formats/pxar/mod.ts";
import { ChunkAccess } from "./chunk_access.ts";
import { ChunkStream } from "./chunk_stream.ts";
import type { SnapshotSource } from "./snapshot_source.ts";

/** One file of the listing. `path` starts with the stored archive name and has no leading slash. */
export interface ListedEntry {
  readonly type: string;
  readonly path: Uint8Array;
  /** Regular files: bytes and Unix seconds. */
  readonly size?: number;
  readonly mtime?: number;
}

/** Type letters of pxar entries. */
const LETTERS: Readonly<Record<PxarEntry["kind"], string>> = {
  directory: "d",
  file: "f",
  symlink: "l",
  hardlink: "h",
  device: "c",
  fifo: "p",
  socket: "s",
};
const SLASH = new Uint8Array([0x2f]);

/** All entries of all directory archives: catalog first, then split archives. Throws {@link DozoError} where there are none. */
export async function* listSnapshot(source: SnapshotSource): AsyncGenerator<ListedEntry, void, void> {
  const { manifest } = source;
  const hasCatalog = manifest.find(CATALOG_NAME) !== undefined;
  const split = manifest.files.map(({ filename }) => filename).filter((name) => name.endsWith(".mpxar.didx")).sort();
  if (!hasCatalog && split.length === 0) {
    throw new DozoError("the snapshot has neither a catalog nor a split archive to list", { status: 404 });
  }
  if (hasCatalog) yield* listCatalog(source);
  for (const filename of split) yield* listMetadata(source, filename);
}

async function* listCatalog(source: SnapshotSource): AsyncGenerator<ListedEntry, void, void> {
  const access = new ChunkAccess(source, await source.archive(CATALOG_NAME));
  const reader = await CatalogReader.open(access);
  for await (const { path, entry } of reader.walk()) {
    yield { type: entry.type, path: joinPath(path), size: entry.size, mtime: entry.mtime };
  }
}

async function* listMetadata(source: SnapshotSource, filename: string): AsyncGenerator<ListedEntry, void, void> {
  const stream = new ChunkStream(source, await source.archive(filename));
  const decoder = new PxarDecoder(stream, { metadataOnly: true });
  const parents: Uint8Array[] = [];
  try {
    for (let event = await decoder.next(); event.type !== "end"; event = await decoder.next()) {
      if (event.type === "leave") parents.pop();
      if (event.type !== "entry") continue;
      const { entry } = event;
      const isRoot = parents.length === 0;
      const path = isRoot
        ? new TextEncoder().encode(filename)
        : concatBytes(parents[parents.length - 1], SLASH, entry.name);
      if (entry.kind === "directory") parents.push(path);
      if (isRoot) continue;
      const isFile = entry.kind === "file";
      yield {
        type: letterOf(entry),
        path,
        size: isFile ? entry.size : undefined,
        mtime: isFile ? wholeSeconds(entry.metadata) : undefined,
      };
    }
  } finally {
    await stream.close();
  }
}

/** Towards zero, as the reference does for split archives (catalogs hold the seconds rounded down). */
function wholeSeconds({ mtimeSec, mtimeNsec }: PxarEntry["metadata"]): number {
  return mtimeSec < 0 && mtimeNsec > 0 ? mtimeSec + 1 : mtimeSec;
}

function joinPath(components: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...components.flatMap((name, i) => i === 0 ? [name] : [SLASH, name]));
}

function letterOf(entry: PxarEntry): string {
  const isBlock = entry.kind === "device" && (entry.metadata.mode & FileType.Mask) === FileType.Block;
  return isBlock ? "b" : LETTERS[entry.kind];
}
