import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { Semaphore } from "../../base/concurrency.ts";
import { Chunker } from "../../formats/chunker.ts";
import { chunkDigest, CryptKey } from "../../formats/crypt_key.ts";
import { FixedChunker } from "../../formats/fixed_chunker.ts";
import { InjectingChunker } from "../../formats/injecting_chunker.ts";
import type { ReusedChunk } from "../../archive/reuse_types.ts";
import { randomSource } from "../../../test/mutate.ts";
import { BufferPool } from "./buffer_pool.ts";
import { type Cutter, plainCutter } from "./chunk_cutter.ts";
import { ChunkUpload } from "./chunk_upload.ts";
import { FakeKnown, FakeWriter, type FakeWriterOptions } from "./fake_writer_for_test.ts";

const SIZE = 4096;

interface Setup extends FakeWriterOptions {
  readonly cutter?: Cutter<readonly ReusedChunk[]>;
  readonly known?: FakeKnown;
  readonly pool?: BufferPool;
  readonly work?: Semaphore;
  readonly content?: Map<string, Uint8Array>;
}

function setUp(setup: Setup = {}) {
  const pool = setup.pool ?? new BufferPool(4);
  const known = setup.known ?? new FakeKnown();
  const writer = new FakeWriter(known, setup.content ?? new Map(), setup);
  const counters = { processed: 0, injected: 0, sent: 0 };
  const upload = new ChunkUpload({
    writer,
    known,
    cutter: setup.cutter ?? plainCutter(new FixedChunker(SIZE)),
    key: setup.key,
    pool,
    work: setup.work ?? new Semaphore(2),
    counters,
    bufferSize: SIZE,
  });
  return { upload, writer, known, pool, counters };
}

function text(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomSource(seed);
  return Uint8Array.from({ length }, () => 0x20 + random(16));
}

async function feed(upload: ChunkUpload, data: Uint8Array, step: number): Promise<void> {
  for (let at = 0; at < data.length;) {
    const memory = upload.reserve(Math.min(step, data.length - at));
    memory.set(data.subarray(at, at + memory.length));
    await upload.commit(memory.length);
    at += memory.length;
  }
}

Deno.test("what is uploaded is the stream; equal chunks are sent once; all buffers come back", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 30 }),
      fc.integer({ min: 1, max: 3 * SIZE }),
      fc.boolean(),
      async (seeds, step, encrypted) => {
        const key = encrypted ? CryptKey.fromRaw(new Uint8Array(32).fill(9)) : undefined;
        const data = concatBytes(...seeds.map((seed) => text(SIZE, seed)), text(17, 99));
        const { upload, writer, pool, counters } = setUp({ key });
        await feed(upload, data, step);
        await upload.close();
        assert.deepEqual(writer.restored(), data);
        assert.equal(counters.processed, data.length);
        assert.equal(writer.events.filter((event) => event === "upload").length, new Set(seeds).size + 1);
        assert.equal(pool.used, 0);
      },
    ),
    { numRuns: 25 },
  );
});

Deno.test("CL-56 a chunk that the server registered from the previous index is only referenced", async () => {
  const data = concatBytes(text(SIZE, 1), text(SIZE, 2));
  const known = new FakeKnown();
  known.add(await chunkDigest(data.subarray(0, SIZE)), SIZE);
  const { upload, writer, counters } = setUp({ known });
  await feed(upload, data, 1000);
  await upload.close();
  assert.deepEqual(writer.events, ["reuse", "upload"]);
  assert.ok(counters.sent > 0 && counters.sent < SIZE);
});

Deno.test("a digest known with another size is sent", async () => {
  const data = text(SIZE, 1);
  const known = new FakeKnown();
  known.add(await chunkDigest(data), SIZE - 1);
  const { upload, writer } = setUp({ known });
  await feed(upload, data, SIZE);
  await upload.close();
  assert.deepEqual(writer.events, ["upload"]);
});

Deno.test("a failure of the server reaches the reader of the file, and nothing is left", async () => {
  for (const failAt of [1, 2, 7]) {
    const { upload, writer, pool } = setUp({ failAt });
    const data = text(40 * SIZE, failAt);
    await assert.rejects(async () => {
      await feed(upload, data, 3000);
      await upload.close();
    }, /the server refuses/);
    await upload.abort();
    assert.equal(writer.closed, false);
    // What is still on its way to the server comes back with its answer.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(pool.used, 0);
  }
});

Deno.test("the reader waits while chunks are not sent, so that memory stays bounded", async () => {
  const pool = new BufferPool(4);
  const { upload } = setUp({ pool, inFlight: 1 });
  const data = text(200 * SIZE, 5);
  let most = 0;
  for (let at = 0; at < data.length; at += SIZE) {
    await upload.write(data.subarray(at, at + SIZE));
    most = Math.max(most, pool.used);
  }
  await upload.close();
  assert.ok(most <= 14, `${most} buffers at a time`);
});

Deno.test("two archives share the workers without waiting for each other", async () => {
  const pool = new BufferPool(4);
  const work = new Semaphore(1);
  const content = new Map<string, Uint8Array>();
  const known = new FakeKnown();
  const one = setUp({ pool, work, known, content });
  const two = setUp({ pool, work, known, content });
  const data = text(30 * SIZE, 8);
  await Promise.all([feed(one.upload, data, SIZE), feed(two.upload, data, 999)]);
  await Promise.all([one.upload.close(), two.upload.close()]);
  assert.deepEqual(one.writer.restored(), data);
  assert.deepEqual(two.writer.restored(), data);
  assert.equal(pool.used, 0);
});

Deno.test("CL-82 chunks of the previous snapshot are put between new data", async () => {
  const content = new Map<string, Uint8Array>();
  const known = new FakeKnown();
  const old = text(30_000, 4);
  const before = setUp({ known, content, cutter: plainCutter(new Chunker(16 << 10)) });
  await feed(before.upload, old, 5000);
  await before.upload.close();

  const injecting = new InjectingChunker<readonly ReusedChunk[]>(16 << 10);
  const after = setUp({ known, content, cutter: injecting });
  let previousEnd = 0;
  const sizes = before.writer.digests.map((digest) => known.get(digest) as number);
  const chunks = before.writer.digests.map((digest, i) => ({
    digest,
    size: sizes[i],
    previousEnd: previousEnd += sizes[i],
  }));
  await feed(after.upload, text(10_000, 1), 700);
  after.upload.suggestBoundary(10_000);
  await after.upload.inject(10_000, chunks);
  await feed(after.upload, text(5_000, 2), 700);
  await after.upload.close();
  assert.deepEqual(after.writer.restored(), concatBytes(text(10_000, 1), old, text(5_000, 2)));
  assert.deepEqual(after.upload.injected, { chunks: chunks.length, bytes: 30_000 });
  assert.equal(after.counters.injected, 30_000);
});

Deno.test("steps that come while the sender is just ending are not forgotten", async () => {
  const { upload, writer } = setUp();
  const data: Uint8Array[] = [];
  for (let i = 0; i < 60; i++) {
    const chunk = text(SIZE, 1000 + i);
    data.push(chunk);
    await upload.write(chunk);
    // Every number of turns, so that one hits the end of the sender.
    for (let turns = 0; turns < i % 40; turns++) await Promise.resolve();
    if (i % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 3));
  }
  await upload.close();
  assert.deepEqual(writer.restored(), concatBytes(...data));
});
