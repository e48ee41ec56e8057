import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { Chunker } from "../../formats/chunker.ts";
import { FixedChunker } from "../../formats/fixed_chunker.ts";
import { InjectingChunker } from "../../formats/injecting_chunker.ts";
import { randomSource } from "../../../test/mutate.ts";
import { BufferPool } from "./buffer_pool.ts";
import { ChunkCutter, plainCutter } from "./chunk_cutter.ts";

function randomBytes(length: number, seed: number): Uint8Array<ArrayBuffer> {
  const random = randomSource(seed);
  return Uint8Array.from({ length }, () => random(256));
}

/** Feeds `data` in pieces of the given sizes, alternately copied and read into reserved memory. */
function feed(cutter: ChunkCutter<never>, data: Uint8Array, sizes: readonly number[]): void {
  let at = 0;
  for (let i = 0; at < data.length; i++) {
    const piece = data.subarray(at, at + sizes[i % sizes.length]);
    if (i % 2 === 0) {
      cutter.write(piece);
      at += piece.length;
      continue;
    }
    const memory = cutter.reserve(piece.length);
    assert.ok(memory.length >= 1 && memory.length <= piece.length);
    memory.set(piece.subarray(0, memory.length));
    cutter.commit(memory.length);
    at += memory.length;
  }
}

function cutAll(chunker: Chunker | FixedChunker, data: Uint8Array, sizes: readonly number[], initial: number) {
  const pool = new BufferPool(2);
  const chunks: Uint8Array[] = [];
  const cutter = new ChunkCutter<never>(
    plainCutter(chunker),
    {
      chunk: (buffer, length) => {
        chunks.push(buffer.slice(0, length));
        pool.give(buffer);
      },
      injected: () => assert.fail("nothing was injected"),
    },
    pool,
    initial,
  );
  feed(cutter, data, sizes);
  cutter.finish();
  assert.equal(pool.used, 0, "all buffers are back");
  return chunks;
}

Deno.test("chunks put together are the stream, whatever the sizes of reads and buffers", () => {
  const data = randomBytes(600_000, 7);
  const expected = cutAll(new Chunker(16 << 10), data, [data.length], 1 << 20).map((chunk) => chunk.length);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(4096, 20_000, 1 << 16),
      (sizes, initial) => {
        const chunks = cutAll(new Chunker(16 << 10), data, sizes, initial);
        assert.deepEqual(concatBytes(...chunks), data);
        assert.deepEqual(chunks.map((chunk) => chunk.length), expected);
      },
    ),
    { numRuns: 30 },
  );
});

Deno.test("fixed chunks have equal size but for the last", () => {
  const data = randomBytes(100_001, 3);
  for (const size of [1, 4095, 4096, 70_000]) {
    const chunks = cutAll(new FixedChunker(4096), data, [size], 4096);
    assert.deepEqual(concatBytes(...chunks), data);
    assert.ok(chunks.slice(0, -1).every((chunk) => chunk.length === 4096));
  }
});

Deno.test("an empty stream has no chunk", () => {
  assert.deepEqual(cutAll(new Chunker(16 << 10), new Uint8Array(0), [1], 4096), []);
});

Deno.test("a buffer never grows beyond the longest chunk", () => {
  const taken: number[] = [];
  class Watched extends BufferPool {
    override take(size: number) {
      taken.push(size);
      return super.take(size);
    }
  }
  const chunker = new Chunker(64 << 10);
  const pool = new Watched(2);
  const cutter = new ChunkCutter<never>(
    plainCutter(chunker),
    { chunk: (buffer) => pool.give(buffer), injected: () => {} },
    pool,
    4096,
  );
  feed(cutter, new Uint8Array(2_000_000), [100_000, 3]);
  cutter.finish();
  assert.ok(Math.max(...taken) <= chunker.maximum, `${Math.max(...taken)}`);
});

Deno.test("injected chunks stand exactly where they were put, and everything else keeps its order", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.record({ data: fc.integer({ min: 1, max: 200_000 }) }),
      fc.record({ inject: fc.integer({ min: 1, max: 300_000 }) }),
    ),
    { minLength: 1, maxLength: 12 },
  );
  fc.assert(
    fc.property(pieces, (list) => {
      const pool = new BufferPool(2);
      const injecting = new InjectingChunker<number>(16 << 10);
      const output: (Uint8Array | number)[] = [];
      const cutter = new ChunkCutter<number>(
        injecting,
        {
          chunk: (buffer, length) => {
            output.push(buffer.slice(0, length));
            pool.give(buffer);
          },
          injected: ({ chunks }) => output.push(chunks),
        },
        pool,
        4096,
      );
      const expected: (Uint8Array | number)[] = [];
      let offset = 0;
      for (const [i, piece] of list.entries()) {
        if ("data" in piece) {
          const bytes = randomBytes(piece.data, i);
          injecting.suggest(offset);
          cutter.write(bytes);
          expected.push(bytes);
          offset += piece.data;
        } else {
          injecting.inject(offset, piece.inject, i);
          cutter.scan();
          expected.push(i);
          offset += piece.inject;
        }
      }
      cutter.finish();
      assert.equal(pool.used, 0);
      assert.deepEqual(joinRuns(output), joinRuns(expected));
    }),
    { numRuns: 40 },
  );
});

/** Neighbouring byte pieces as one. */
function joinRuns(items: readonly (Uint8Array | number)[]): (Uint8Array | number)[] {
  const runs: (Uint8Array | number)[] = [];
  for (const item of items) {
    const last = runs.at(-1);
    if (typeof item !== "number" && last instanceof Uint8Array) runs[runs.length - 1] = concatBytes(last, item);
    else runs.push(item);
  }
  return runs;
}
