import assert from "node:assert/strict";
import { concatBytes, toHex } from "../../base/bytes.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { DynamicIndexWriter } from "../../formats/index_writer.ts";
import type { ManifestFile } from "../../formats/manifest.ts";
import { sha256Sync } from "../../native/crypto.ts";
import type { ReaderSession } from "../../protocol/reader_client/reader_session.ts";
import { ChunkStream } from "./chunk_stream.ts";
import { SnapshotSource } from "./snapshot_source.ts";
import { Manifest } from "../../formats/manifest.ts";

/** A snapshot with one archive made of `chunks`, which counts what is fetched. */
async function archiveOf(chunks: readonly Uint8Array[]) {
  const store = new Map<string, Uint8Array<ArrayBuffer>>();
  const writer = new DynamicIndexWriter({ uuid: new Uint8Array(16), ctime: 1 });
  let offset = 0;
  for (const chunk of chunks) {
    const digest = sha256Sync(chunk);
    store.set(toHex(digest), await encodeBlob(chunk));
    writer.append(offset, chunk.length, digest);
    offset += chunk.length;
  }
  const { parts, size, csum } = await writer.finish();
  const file: ManifestFile = { filename: "a.ppxar.didx", "crypt-mode": "none", size, csum: toHex(csum) };
  const manifest = Manifest.create({ type: "host", id: "a", time: 1 });
  manifest.addFile(file);
  const manifestBlob = await manifest.encode();
  const fetched: string[] = [];
  const session: Partial<ReaderSession> = {
    download: () => Promise.resolve(manifestBlob),
    async *chunks(digests, map) {
      for (const digest of digests) {
        fetched.push(toHex(digest));
        yield await map(store.get(toHex(digest)) as Uint8Array<ArrayBuffer>, digest);
      }
    },
    recycle: () => {},
  };
  const source = await SnapshotSource.open(session as ReaderSession);
  const index = new DynamicIndex(concatBytes(...parts));
  return { stream: () => new ChunkStream(source, { file, index }), fetched };
}

async function readAll(stream: ChunkStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let bytes = await stream.pull(); bytes; bytes = await stream.pull()) parts.push(bytes.slice());
  await stream.close();
  return concatBytes(...parts);
}

const chunk = (value: number, size = 1000) => new Uint8Array(size).fill(value);

Deno.test("the stream delivers all chunks in order and fetches near copies once", async () => {
  const chunks = [1, 2, 1, 1, 3, 4, 1, 5, 6, 7, 8, 1, 2].map((value) => chunk(value, 900 + value));
  const { stream, fetched } = await archiveOf(chunks);
  assert.deepEqual(await readAll(stream()), concatBytes(...chunks));
  // Of the copies only 1, 1, 1 (each at most four behind the one before) need no fetch.
  assert.equal(fetched.length, 10);
});

Deno.test("skipping may end inside of a chunk, behind copies and at the end", async () => {
  const chunks = [1, 2, 1, 3].map((value) => chunk(value));
  const { stream } = await archiveOf(chunks);
  for (const count of [1, 999, 1000, 1001, 2500, 3999]) {
    const one = stream();
    await one.skip(count);
    assert.deepEqual(await readAll(one), concatBytes(...chunks).subarray(count));
  }
  const whole = stream();
  await whole.skip(4000);
  assert.equal(await whole.pull(), null);
});
