/** What tests of this room and of those above share: a store without the 65536 chunk directories, and snapshots in it. */
import { encodeBlob } from "../formats/blob.ts";
import { DynamicIndexWriter } from "../formats/index_writer.ts";
import { Manifest } from "../formats/manifest.ts";
import { sha256Sync } from "../native/crypto.ts";
import { toHex } from "../base/bytes.ts";
import { Datastore, type DatastoreOptions } from "./datastore.ts";
import type { SnapshotRef } from "./types.ts";

/** A temporary store. The chunk directories appear when they are needed; `cleanUp` removes everything. */
export interface TestStore {
  readonly store: Datastore;
  readonly options: DatastoreOptions;
  readonly path: string;
  cleanUp(): Promise<void>;
}

/** Makes a {@link TestStore} in a new temporary directory (or in `directory`, which then is not removed). */
export async function makeTestStore(options: Partial<DatastoreOptions> = {}, directory?: string): Promise<TestStore> {
  const root = directory ?? await Deno.makeTempDir({ prefix: "dozo-store-" });
  const path = `${root}/store`;
  await Deno.mkdir(`${path}/.chunks`, { recursive: true, mode: 0o750 });
  await Deno.writeFile(`${path}/.lock`, new Uint8Array());
  const all = { name: "test", path, lockDirectory: `${root}/locks`, ...options };
  return {
    store: await Datastore.open(all),
    options: all,
    path,
    cleanUp: directory ? () => Promise.resolve() : () => Deno.remove(root, { recursive: true }),
  };
}

/** Stores a finished snapshot with one archive of one chunk and one blob, and returns what it refers to. */
export async function addSnapshot(
  store: Datastore,
  snapshot: SnapshotRef,
  options: { caller?: string; content?: string } = {},
): Promise<{ digest: Uint8Array<ArrayBuffer> }> {
  const writer = await store.beginBackup({ snapshot, caller: options.caller ?? "alice@pbs" });
  const data = new TextEncoder().encode(options.content ?? "content");
  const digest = sha256Sync(data);
  await store.chunks.insert(digest, await encodeBlob(data));
  const index = new DynamicIndexWriter({ ctime: snapshot.time });
  index.append(0, data.length, digest);
  const { parts, csum, size } = await index.finish();
  await writer.write("root.pxar.didx", parts);
  const blob = await encodeBlob(data);
  await writer.write("note.conf.blob", [blob]);
  const manifest = Manifest.create(snapshot);
  manifest.addFile({ filename: "root.pxar.didx", "crypt-mode": "none", size, csum: toHex(csum) });
  manifest.addFile({
    filename: "note.conf.blob",
    "crypt-mode": "none",
    size: blob.length,
    csum: toHex(sha256Sync(blob)),
  });
  await writer.write("index.json.blob", [await manifest.encode()]);
  await writer.finish({ count: 1, size, compressedSize: blob.length, duplicates: 0 });
  return { digest };
}
