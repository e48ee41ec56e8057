import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { chunkDigest, CryptKey } from "../../formats/crypt_key.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { randomSource } from "../../../test/mutate.ts";
import { ChunkAccess } from "./chunk_access.ts";
import { ChunkStream } from "./chunk_stream.ts";
import { FakeSession } from "./fake_session_for_test.ts";
import { restore } from "./restore.ts";
import { SnapshotSource } from "./snapshot_source.ts";

const NAME = "a.pxar.didx";
const key = CryptKey.fromRaw(new Uint8Array(32).fill(5));

function bytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomSource(seed);
  return Uint8Array.from({ length }, () => random(256));
}

async function openStream(chunks: readonly Uint8Array[], options: { key?: CryptKey } = {}) {
  const session = new FakeSession(options);
  await session.add(NAME, chunks);
  const source = await SnapshotSource.open(await session.seal(), options.key);
  return { session, source, archive: await source.archive(NAME), data: concatBytes(...chunks) };
}

async function readAll(stream: ChunkStream): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for (let part = await stream.pull(); part; part = await stream.pull()) parts.push(part);
  return concatBytes(...parts);
}

Deno.test("a stream gives the bytes in order, over any skips, plain and encrypted", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30_000 })), { maxLength: 8 }),
      fc.boolean(),
      async (sizes, skips, encrypted) => {
        const options = encrypted ? { key } : {};
        const { source, archive, data } = await openStream(sizes.map((size, i) => bytes(size, i)), options);
        const stream = new ChunkStream(source, archive);
        let at = 0;
        for (const skip of skips) {
          if (skip > 0) await stream.skip(skip);
          at += skip;
          const part = await stream.pull();
          assert.deepEqual(part, at < data.length ? data.subarray(at, at + (part?.length ?? 0)) : null);
          at += part?.length ?? 0;
        }
        assert.deepEqual(await readAll(stream), data.subarray(at));
        await stream.close();
      },
    ),
    { numRuns: 40 },
  );
});

Deno.test("a long jump does not fetch what lies in it", async () => {
  const chunks = Array.from({ length: 20 }, (_, i) => new Uint8Array(2 << 20).fill(i + 1));
  const { session, source, archive } = await openStream(chunks);
  const stream = new ChunkStream(source, archive);
  await stream.pull();
  await stream.skip(34 << 20);
  assert.deepEqual(await stream.pull(), chunks[18]);
  await stream.close();
  assert.ok(session.fetched.length < 14, `${session.fetched.length} chunks were fetched`);
});

Deno.test("random access reads any range and fetches each chunk once while it is kept", async () => {
  const { session, source, archive, data } = await openStream(
    [3000, 1, 4096, 700, 5000].map((size, i) => bytes(size, i)),
  );
  const access = new ChunkAccess(source, archive);
  await fc.assert(fc.asyncProperty(fc.nat(data.length), fc.nat(6000), async (offset, length) => {
    const wanted = Math.min(length, data.length - offset);
    assert.deepEqual(await access.read(offset, wanted), data.slice(offset, offset + wanted));
  }));
  assert.equal(new Set(session.fetched).size, session.fetched.length);
  await assert.rejects(access.read(data.length, 1), /outside/);
});

Deno.test("CL-137 a changed, swapped or missing chunk is refused", async () => {
  const good = [bytes(4000, 1), bytes(4000, 2)];
  const digests = await Promise.all(good.map(async (chunk) => toHex(await chunkDigest(chunk))));
  const damages: ((session: FakeSession) => Promise<void> | void)[] = [
    (session) => void session.chunkFiles.delete(digests[1]),
    (session) => void session.chunkFiles.set(digests[1], session.chunkFiles.get(digests[0]) as Uint8Array<ArrayBuffer>),
    (session) => {
      const file = (session.chunkFiles.get(digests[1]) as Uint8Array<ArrayBuffer>).slice();
      file[100] ^= 1;
      session.chunkFiles.set(digests[1], file);
    },
    async (session) => void session.chunkFiles.set(digests[1], await encodeBlob(good[1], { key })),
  ];
  for (const damage of damages) {
    const { session, source, archive } = await openStream(good);
    await damage(session);
    await assert.rejects(readAll(new ChunkStream(source, archive)), DozoError);
    await assert.rejects(new ChunkAccess(source, archive).read(4000, 10), DozoError);
  }
});

Deno.test("CL-137 a plain chunk in an encrypted archive and an index that was exchanged are refused", async () => {
  const { session, source, archive, data } = await openStream([bytes(4000, 1)], { key });
  session.chunkFiles.set(toHex(archive.index.digestAt(0)), await encodeBlob(data));
  await assert.rejects(readAll(new ChunkStream(source, archive)), /not encrypted/);
  const other = await openStream([bytes(4000, 9)], { key });
  session.files.set(NAME, other.session.files.get(NAME) as Uint8Array<ArrayBuffer>);
  await assert.rejects(source.archive(NAME), /not what the manifest lists/);
});

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await work(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function restoreOf(source: SnapshotSource, archive: string, target: string) {
  return restore({ source, archive, target, extract: {}, log: () => {} });
}

Deno.test("CL-132 CL-136 images are restored with holes, in whatever order chunks come, and never over a file", async () => {
  await inFolder(async (folder) => {
    const SIZE = 64 * 1024;
    const chunks = Array.from({ length: 30 }, (_, i) => i % 3 === 0 ? new Uint8Array(SIZE) : bytes(SIZE, i % 5));
    const session = new FakeSession();
    await session.add("disk.img.fidx", [...chunks, bytes(1000, 77)]);
    const source = await SnapshotSource.open(await session.seal());
    const target = `${folder}/disk`;
    await restoreOf(source, "disk.img", target);
    assert.deepEqual(await Deno.readFile(target), concatBytes(...chunks, bytes(1000, 77)));
    const zero = toHex(await chunkDigest(new Uint8Array(SIZE)));
    assert.ok(!session.fetched.includes(zero), "zero chunks are not fetched");
    await assert.rejects(restoreOf(source, "disk.img", target), /already exists/);
    session.chunkFiles.delete(toHex(await chunkDigest(bytes(SIZE, 1))));
    await assert.rejects(restoreOf(source, "disk.img", `${folder}/incomplete`), /missing/);
    await assert.rejects(Deno.stat(`${folder}/incomplete`), Deno.errors.NotFound);
  });
});

Deno.test("CL-133 CL-134 CL-136 blobs by either name, the manifest over an old one", async () => {
  await inFolder(async (folder) => {
    const session = new FakeSession();
    await session.addBlob("vm.conf.blob", new TextEncoder().encode("memory: 1\n"));
    const source = await SnapshotSource.open(await session.seal());
    await restoreOf(source, "vm.conf", `${folder}/a`);
    await restoreOf(source, "vm.conf.blob", `${folder}/b`);
    assert.equal(await Deno.readTextFile(`${folder}/a`), "memory: 1\n");
    await assert.rejects(restoreOf(source, "vm.conf", `${folder}/a`), /already exists/);
    for (let i = 0; i < 2; i++) await restoreOf(source, "index.json", `${folder}/manifest`);
    assert.equal(JSON.parse(await Deno.readTextFile(`${folder}/manifest`))["backup-id"], "test");
    await assert.rejects(restoreOf(source, "other.conf", `${folder}/c`), /no archive 'other\.conf'/);
    session.files.set("vm.conf.blob", await encodeBlob(new TextEncoder().encode("memory: 2\n")));
    await assert.rejects(restoreOf(source, "vm.conf", `${folder}/c`), /not what the manifest lists/);
    await assert.rejects(Deno.stat(`${folder}/c`), Deno.errors.NotFound);
  });
});

Deno.test("CL-116 a signed snapshot needs its own key", async () => {
  const session = new FakeSession({ key, mode: "sign-only" });
  await session.addBlob("vm.conf.blob", new TextEncoder().encode("x"));
  await session.seal();
  await assert.rejects(SnapshotSource.open(session, CryptKey.fromRaw(new Uint8Array(32))), /wrong key/);
  await assert.rejects(restoreOf(await SnapshotSource.open(session), "vm.conf", "-"), /missing key/);
});
