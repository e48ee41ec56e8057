/** Files of a snapshot as byte streams: as stored, or put together from their chunks. Memory stays bounded. */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import type { ChunkStore } from "../../datastore/chunk_store.ts";
import type { StoredFile } from "../../datastore/types.ts";
import type { SnapshotReader } from "../../datastore/snapshot_reader.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";
import type { ChunkIndex } from "../../formats/index_source.ts";
import { Manifest } from "../../formats/manifest.ts";
import { readChunk } from "./chunk_source.ts";

/** Bytes per step of a plain download. */
const STEP = 1 << 20;
/** Chunks that are read and decoded ahead of the client. */
const AHEAD = 4;
/** Longest index file that is served, bytes: about 13 million chunks. */
const MAX_INDEX = 512 << 20;

/** The bytes of a stored file. Does not close it. */
export async function* fileStream(file: StoredFile): AsyncGenerator<Uint8Array, void, void> {
  for (let offset = 0; offset < file.size;) {
    const buffer = new Uint8Array(Math.min(STEP, file.size - offset));
    const length = await file.read(offset, buffer);
    if (length === 0) throw new DozoError(`the file became shorter while it was read (at ${offset} of ${file.size})`);
    yield length === buffer.length ? buffer : buffer.subarray(0, length);
    offset += length;
  }
}

/** The decoded manifest of an open snapshot. Throws 400 when it is missing or damaged. */
export async function readManifest(reader: SnapshotReader): Promise<Manifest> {
  const blob = await reader.readFile("index.json.blob");
  if (!blob) {
    throw new DozoError(`unable to load the manifest of the snapshot: it is missing (is the backup finished?)`);
  }
  return await Manifest.decode(blob);
}

/** The index of an archive, checked against the manifest. Throws 400 when it is encrypted, missing or not what the manifest says. */
export async function openIndex(reader: SnapshotReader, manifest: Manifest, name: string): Promise<ChunkIndex> {
  const entry = manifest.find(name);
  if (!entry) throw new DozoError(`the snapshot has no archive '${name}'`);
  if (entry["crypt-mode"] === "encrypt") throw new DozoError(`cannot decode '${name}' - is encrypted`);
  const bytes = await reader.readFile(name, MAX_INDEX);
  if (!bytes) throw new DozoError(`unable to read index '${name}' - file is missing`);
  const index = name.endsWith(".fidx") ? new FixedIndex(bytes) : new DynamicIndex(bytes);
  const csum = toHex(await index.csum());
  if (csum !== entry.csum || index.size !== entry.size) {
    throw new DozoError(`index '${name}' does not agree with the manifest: checksum or size differ`);
  }
  return index;
}

/** The plain content of an archive; some chunks are fetched ahead while the reader takes the present one. */
export async function* archiveStream(chunks: ChunkStore, index: ChunkIndex): AsyncGenerator<Uint8Array, void, void> {
  const ahead: Promise<Uint8Array>[] = [];
  const ranges = index.chunks();
  const fetchNext = () => {
    const { value, done } = ranges.next();
    if (done) return;
    const chunk = readChunk(chunks, value.digest.slice(), value.end - value.start);
    // A failure is reported when its turn comes; until then it must not count as unhandled.
    chunk.catch(() => {});
    ahead.push(chunk);
  };
  for (let i = 0; i < AHEAD; i++) fetchNext();
  for (let next = ahead.shift(); next; next = ahead.shift()) {
    const data = await next;
    fetchNext();
    yield data;
  }
}
