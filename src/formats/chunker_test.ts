import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import fc from "fast-check";
import { fromHex, writeU64 } from "../base/bytes.ts";
import { BUZHASH_TABLE } from "./buzhash_table.ts";
import { hasWasm, skipUncut, WASM_BLOCK } from "./buzhash_wasm.ts";
import { CATALOG_CHUNK_SIZE, Chunker, DEFAULT_CHUNK_SIZE, type StreamChunker } from "./chunker.ts";
import { FixedChunker } from "./fixed_chunker.ts";
import { InjectingChunker } from "./injecting_chunker.ts";
import { PayloadChunker } from "./payload_chunker.ts";

const readJson = (name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`../../test/vectors/${name}`, import.meta.url)));
const VECTORS = readJson("spec/test-vectors.json").chunker;
const REAL = readJson("chunker/chunker.json");
const MiB = 1 << 20;

let streamR = new Uint8Array(0);
/** The pseudo-random stream of spec/chunker.md §3. */
function R(length: number): Uint8Array {
  if (streamR.length < length) {
    streamR = new Uint8Array(Math.ceil(length / 32) * 32);
    const seed = new Uint8Array(12 + 8);
    seed.set(new TextEncoder().encode("dozo-chunker"));
    for (let i = 0; i < streamR.length / 32; i++) {
      writeU64(new DataView(seed.buffer), 12, i);
      streamR.set(createHash("sha256").update(seed).digest(), i * 32);
    }
  }
  return streamR.subarray(0, length);
}

function C(): Uint8Array {
  return new Uint8Array(Uint32Array.from({ length: 262144 }, (_, i) => i).buffer);
}

function keystream(length: number, keyHex: string): Uint8Array {
  return createCipheriv("aes-128-ctr", fromHex(keyHex), new Uint8Array(16)).update(new Uint8Array(length));
}

/** End offsets of all chunks when `data` comes in pieces of the given sizes (the last size repeats). */
function cutsOf(chunker: StreamChunker, data: Uint8Array, pieces: readonly number[] = [data.length]): number[] {
  const ends: number[] = [];
  let piece = 0;
  for (let start = 0; start < data.length;) {
    const end = Math.min(data.length, start + Math.max(1, pieces[Math.min(piece++, pieces.length - 1)]));
    for (let at = start; at < end;) {
      const cut = chunker.scan(data, at, end);
      if (cut > 0) ends.push(cut);
      at = cut || end;
    }
    start = end;
  }
  if (chunker.scanned > 0) ends.push(data.length);
  return ends;
}

/** The loop of spec/chunker.md §2, word for word. */
function naiveCuts(data: Uint8Array, average: number): number[] {
  const ends: number[] = [];
  const window = new Uint8Array(64);
  let hash = 0;
  let size = 0;
  for (let i = 0; i < data.length; i++) {
    const out = size < 64 ? 0 : BUZHASH_TABLE[window[size % 64]];
    hash = (((hash << 1) | (hash >>> 31)) ^ out ^ BUZHASH_TABLE[data[i]]) >>> 0;
    window[size % 64] = data[i];
    size++;
    const mask = 2 * average - 1;
    const meets = ((hash & mask) >>> 0) >= mask - 2;
    if (size > 64 && (size >= average * 4 || (size >= average / 4 && meets))) {
      ends.push(i + 1);
      hash = size = 0;
    }
  }
  if (size > 0) ends.push(data.length);
  return ends;
}

function indexChecksum(data: Uint8Array, ends: readonly number[]): string {
  const sum = createHash("sha256");
  let start = 0;
  for (const end of ends) {
    const offset = new Uint8Array(8);
    writeU64(new DataView(offset.buffer), 0, end);
    sum.update(offset).update(createHash("sha256").update(data.subarray(start, end)).digest());
    start = end;
  }
  return sum.digest("hex");
}

const sizes = (ends: readonly number[]) => ends.map((end, i) => end - (ends[i - 1] ?? 0));

Deno.test("the rolling-hash table is casync's", () => {
  const expected = readJson("spec/buzhash-table.json");
  assert.equal(BUZHASH_TABLE.length, 256);
  const digest = createHash("sha256").update(new Uint8Array(BUZHASH_TABLE.buffer)).digest("hex");
  assert.equal(digest, expected.sha256_of_256_little_endian_u32);
});

Deno.test("FF-18 default parameters: 4 MiB average, a quarter to four times, 512 KiB for the catalog", () => {
  const chunker = new Chunker();
  assert.deepEqual([chunker.average, chunker.minimum, chunker.maximum], [4 * MiB, MiB, 16 * MiB]);
  assert.equal(DEFAULT_CHUNK_SIZE, 4 * MiB);
  assert.equal(CATALOG_CHUNK_SIZE, MiB / 2);
  for (const bad of [0, 1, 100, 256, 3 * MiB, 4.5, NaN, 2 ** 30]) assert.throws(() => new Chunker(bad));
});

Deno.test("FF-18 cut positions of the specification's vectors, whatever the read sizes", () => {
  for (const vector of VECTORS.plain) {
    // Making all 96 MiB of the stream takes longer than the rest of this file: its first 4 MiB say the same, and whole streams
    // of that length are compared below.
    const length = vector.input === "R" ? Math.min(vector.length, 4 * MiB) : vector.length;
    const data = vector.input === "R" ? R(length) : vector.input === "C" ? C() : new Uint8Array(vector.length);
    const whole: number[] = vector.ends ?? vector.sizes.map((s: number) => s);
    const expected = vector.ends ? whole.filter((end) => end <= data.length) : whole;
    for (const piece of [data.length, 65536, 4096, 65535]) {
      const ends = cutsOf(new Chunker(vector.average), data, [piece]);
      if (length < vector.length && vector.input === "R") ends.pop();
      assert.deepEqual(vector.ends ? ends : sizes(ends), expected);
    }
    if (vector.csum && length === vector.length) assert.equal(indexChecksum(data, expected), vector.csum);
  }
});

Deno.test("FF-18 pieces of 1, 7, 63, 64, 65 and mixed sizes give the same cuts", () => {
  const data = R(2 * MiB);
  const { ends } = VECTORS.plain[2];
  for (const pieces of [[1], [7], [63], [64], [65], [1, 200000, 63, 5, 64, 65, 70000, 3, 333]]) {
    assert.deepEqual(cutsOf(new Chunker(65536), data, pieces), ends);
  }
});

Deno.test("FF-18 index checksums of streams that the established client cut", () => {
  const key = "000102030405060708090a0b0c0d0e0f";
  const text = () => {
    const bits = keystream(2 * MiB, "0f0e0d0c0b0a09080706050403020100");
    const characters = new Uint8Array(16 * MiB);
    for (let i = 0; i < characters.length; i++) characters[i] = 0x30 + ((bits[i >> 3] >> (7 - (i & 7))) & 1);
    return characters;
  };
  const trees: Record<string, () => Uint8Array> = {
    keystream64: () => keystream(64 * MiB, key),
    keystream8: () => keystream(8 * MiB, key),
    text16: text,
    zeros40: () => new Uint8Array(40 * MiB),
  };
  let checked = 0;
  for (const [tree, make] of Object.entries(trees)) {
    const content = make();
    for (const entry of REAL.streams) {
      if (entry.tree !== tree || !entry.stream) continue;
      const prefix = fromHex(entry.stream.prefix_hex);
      const data = new Uint8Array(entry.size);
      data.set(prefix);
      data.set(content, prefix.length);
      data.set(fromHex(entry.stream.suffix_hex), prefix.length + content.length);
      const ends = cutsOf(new Chunker(entry.average), data, [1 << 18]);
      assert.deepEqual(ends, entry.chunks.map((chunk: [number, string]) => chunk[0]), `${tree} ${entry.file}`);
      assert.equal(indexChecksum(data, ends), entry.index_csum);
      checked++;
    }
  }
  assert.equal(checked, 10);
});

Deno.test("one byte in front moves the cuts, and only the first chunks change", () => {
  const data = R(2 * MiB);
  const moved = new Uint8Array(data.length + 1);
  moved.set(data, 1);
  const before = cutsOf(new Chunker(65536), data).map((end) => end + 1);
  const after = cutsOf(new Chunker(65536), moved);
  const same = after.filter((end) => before.includes(end));
  assert.ok(same.length >= after.length - 2, `${same.length} of ${after.length} cuts stayed`);
});

Deno.test("property: any data, average and pieces give the cuts of the plain loop", () => {
  const parts = fc.array(
    fc.oneof(
      fc.uint8Array({ maxLength: 3000 }),
      fc.tuple(fc.nat(255), fc.nat(5000)).map(([value, length]) => new Uint8Array(length).fill(value)),
    ),
    { maxLength: 6 },
  );
  fc.assert(fc.property(
    parts,
    fc.constantFrom(512, 1024, 2048),
    fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 8 }),
    fc.nat(7),
    (all, average, pieces, shift) => {
      const length = all.reduce((sum, part) => sum + part.length, 0);
      // Shifted within its buffer: the words of the hot loop must not depend on alignment.
      const data = new Uint8Array(new ArrayBuffer(length + shift), shift);
      all.reduce((at, part) => (data.set(part, at), at + part.length), 0);
      assert.deepEqual(cutsOf(new Chunker(average), data, pieces), naiveCuts(data, average));
    },
  ));
});

Deno.test("property: WebAssembly passes over exactly the stretches without a cut", () => {
  assert.ok(hasWasm());
  const data = R(400000);
  const parts = fc.tuple(
    fc.integer({ min: 64, max: 300000 }),
    fc.nat(100000),
    fc.constantFrom(4096, 65536, 1 << 22),
    fc.boolean(),
  );
  fc.assert(
    fc.property(parts, ([from, length, average, constant]) => {
      const bytes = constant ? new Uint8Array(data.length).fill(7) : data;
      const mask = 2 * average - 1;
      const to = Math.min(data.length, from + length);
      const at = skipUncut(bytes, from, to, mask);
      assert.equal((at - from) % WASM_BLOCK, 0);
      let hash = 0;
      for (let i = from - 64; i < from; i++) hash = ((hash << 1) | (hash >>> 31)) ^ BUZHASH_TABLE[bytes[i]];
      let first = to;
      for (let i = from; i < to && first === to; i++) {
        hash = ((hash << 1) | (hash >>> 31)) ^ BUZHASH_TABLE[bytes[i - 64]] ^ BUZHASH_TABLE[bytes[i]];
        if ((hash & mask) >= mask - 2) first = i;
      }
      assert.equal(at, from + Math.floor((first - from) / WASM_BLOCK) * WASM_BLOCK);
    }),
    { numRuns: 60 },
  );
});

Deno.test("the chunker looks at nothing outside the range it is given", () => {
  const data = R(300000);
  const expected = cutsOf(new Chunker(2048), data, [1000]);
  const chunker = new Chunker(2048);
  const ends: number[] = [];
  // Each piece arrives at another place of another buffer, between bytes that do not belong to it.
  for (let start = 0; start < data.length; start += 1000) {
    const piece = new Uint8Array(1200).fill(0xa5);
    piece.set(data.subarray(start, start + 1000), 77);
    const stop = 77 + Math.min(1000, data.length - start);
    for (let at = 77; at < stop;) {
      const cut = chunker.scan(piece, at, stop);
      if (cut > 0) ends.push(start + cut - 77);
      at = cut || stop;
    }
  }
  if (chunker.scanned > 0) ends.push(data.length);
  assert.deepEqual(ends, expected);
});

Deno.test("fixed chunks: equal sizes, shorter last one, none for nothing", () => {
  const data = new Uint8Array(10 * 1000 + 345);
  assert.deepEqual(sizes(cutsOf(new FixedChunker(1000), data, [333])), [...Array(10).fill(1000), 345]);
  assert.deepEqual(cutsOf(new FixedChunker(1000), data.subarray(0, 2000), [700]), [1000, 2000]);
  assert.deepEqual(cutsOf(new FixedChunker(1000), new Uint8Array(0)), []);
  for (const image of REAL.images) {
    const ends = image.chunks.map((chunk: [number, string]) => chunk[0]);
    assert.deepEqual(cutsOf(new FixedChunker(image.chunk_size), new Uint8Array(image.size), [999983]), ends);
  }
  assert.throws(() => new FixedChunker(0));
});

Deno.test("payload chunker: suggested boundaries of the vectors, per block size", () => {
  for (const vector of VECTORS.payload) {
    const chunker = new PayloadChunker(vector.average);
    for (const offset of vector.suggestions) chunker.suggest(offset);
    assert.deepEqual(sizes(cutsOf(chunker, R(vector.length), [vector.block])), vector.sizes);
  }
});

Deno.test("payload chunker: one file per chunk where files have a fitting size", () => {
  const chunker = new PayloadChunker();
  for (let k = 0; k < 100; k++) chunker.suggest(16 + k * 1048592);
  const ends = cutsOf(chunker, new Uint8Array(104859232), [262144]);
  const expected = Array.from({ length: 99 }, (_, k) => 16 + (k + 1) * 1048592);
  assert.deepEqual(ends, [...expected, 104859232]);
});

type Result = (number | { inj: number })[];

function injectedRun(chunker: InjectingChunker<string>, blocks: readonly Uint8Array[]): Result {
  const result: Result = [];
  // As the pipeline does it: bytes are appended to the buffer of the current chunk.
  const buffer = new Uint8Array(blocks.reduce((sum, block) => sum + block.length, 0));
  let start = 0;
  let filled = 0;
  for (const block of blocks) {
    buffer.set(block, filled);
    filled += block.length;
    for (let step; (step = chunker.step(buffer, start, filled));) {
      if (step.end > start) result.push(step.end - start);
      if (step.injection) result.push({ inj: step.injection.length });
      start = step.end;
    }
  }
  if (filled > start) result.push(filled - start);
  chunker.finish();
  return result;
}

Deno.test("forced boundaries of the vectors", () => {
  for (const vector of VECTORS.forced) {
    const chunker = new InjectingChunker<string>(vector.average);
    for (const offset of vector.suggestions) chunker.suggest(offset);
    for (const [offset, length] of vector.forced) chunker.inject(offset, length, "list");
    const data = vector.input === "C" ? C() : R(vector.length);
    const blocks: Uint8Array[] = [];
    if (vector.input === "C") blocks.push(data.subarray(10), data.subarray(0, 10));
    else for (let at = 0; at < data.length; at += vector.block) blocks.push(data.subarray(at, at + vector.block));
    assert.deepEqual(injectedRun(chunker, blocks), vector.result);
  }
});

Deno.test("property: injected lists begin where a chunk ended and nothing gets lost", () => {
  const arbitraryInjections = fc.array(fc.tuple(fc.nat(9000), fc.nat(4000)), { maxLength: 8 });
  fc.assert(fc.property(arbitraryInjections, fc.integer({ min: 100, max: 9000 }), (gaps, block) => {
    const chunker = new InjectingChunker<string>(1024);
    const data = R(60000);
    let offset = 0;
    let raw = 0;
    const offsets: number[] = [];
    for (const [gap, length] of gaps) {
      if (raw + gap > data.length) break;
      raw += gap;
      offset += gap;
      offsets.push(offset);
      chunker.inject(offset, length, "list");
      offset += length;
    }
    const blocks: Uint8Array[] = [];
    for (let at = 0; at < data.length; at += block) blocks.push(data.subarray(at, at + block));
    let position = 0;
    const found: number[] = [];
    for (const item of injectedRun(chunker, blocks)) {
      if (typeof item === "number") {
        assert.ok(item <= chunker.maximum);
        position += item;
      } else {
        found.push(position);
        position += item.inj;
      }
    }
    assert.deepEqual(found, offsets);
    assert.equal(position, data.length + gaps.slice(0, offsets.length).reduce((sum, [, length]) => sum + length, 0));
  }));
});

Deno.test("a forced boundary that the stream never reaches, or that goes backwards, is an error", () => {
  const chunker = new InjectingChunker<string>(1024);
  chunker.inject(5000, 10, "a");
  assert.throws(() => chunker.inject(5005, 1, "b"), /lies before/);
  assert.equal(chunker.step(new Uint8Array(100), 0, 100), undefined);
  assert.throws(() => chunker.finish(), /ended before/);
});
