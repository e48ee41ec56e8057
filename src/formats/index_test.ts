import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { mutations } from "../../test/mutate.ts";
import { vector, vectorJson } from "../../test/vectors.ts";
import { bytesEqual, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { DynamicIndex } from "./dynamic_index.ts";
import { FixedIndex } from "./fixed_index.ts";
import type { ChunkIndex, IndexSource } from "./index_source.ts";
import { DynamicIndexWriter, FixedIndexWriter, randomUuid } from "./index_writer.ts";

const spec = vectorJson<{ fidx: string; didx: string }>("spec/test-vectors.json");
const identity = { uuid: Uint8Array.from({ length: 16 }, (_, i) => i), ctime: 1700000000 };
const MIB = 1024 * 1024;
const digest = (text: string) => new Uint8Array(createHash("sha256").update(text).digest());

/** A source that counts what is read from it. */
function counted(
  bytes: Uint8Array,
): IndexSource & { read: (offset: number, length: number) => Uint8Array; most: number } {
  return {
    size: bytes.length,
    most: 0,
    read(offset, length) {
      assert.ok(offset + length <= bytes.length);
      this.most = Math.max(this.most, length);
      return bytes.slice(offset, offset + length);
    },
  };
}

Deno.test("FF-11 FF-12 the fixed index of the specification, read and written", async () => {
  const file = fromHex(spec.fidx);
  const index = new FixedIndex(file);
  assert.deepEqual([index.count, index.size, index.chunkSize, index.ctime], [2, 4194816, 4194304, 1700000000]);
  assert.equal(toHex(await index.csum()), toHex(index.headerCsum));
  assert.deepEqual([...index.chunks()].map(({ start, end }) => [start, end]), [[0, 4194304], [4194304, 4194816]]);
  const writer = new FixedIndexWriter({ ...identity, size: 4194816 });
  writer.set(4194304, 512, index.digestAt(1));
  writer.set(0, 4194304, index.digestAt(0));
  const { parts, fileSize, csum } = await writer.finish();
  assert.equal(toHex(concatBytes(...parts)), spec.fidx);
  assert.equal(fileSize, file.length);
  assert.equal(toHex(csum), "11914c19a28a98c57d12f3cce6c32b7944784f4b4781a706c24eb1dc284e2856");
});

Deno.test("FF-12 FF-13 the dynamic index of the specification, read and written", async () => {
  const file = fromHex(spec.didx);
  const index = new DynamicIndex(file);
  assert.deepEqual([index.count, index.size, index.ctime], [2, 3000000, 1700000000]);
  assert.equal(toHex(await index.csum()), toHex(index.headerCsum));
  const writer = new DynamicIndexWriter(identity);
  writer.append(0, 1048576, index.digestAt(0));
  writer.append(1048576, 3000000 - 1048576, index.digestAt(1));
  const { parts, fileSize, csum, size, count } = await writer.finish();
  assert.equal(toHex(concatBytes(...parts)), spec.didx);
  assert.deepEqual([fileSize, size, count], [file.length, 3000000, 2]);
  assert.equal(toHex(csum), "adbb03f2be5fc4998d57a09623de025321baecc57f3eb97de4b071fb725af495");
});

Deno.test("FF-11 FF-13 every index of the reference's datastore is written with the same bytes", async () => {
  interface IndexVector {
    kind: "fixed" | "dynamic";
    uuid: string;
    ctime: number;
    header_csum: string;
    size: number;
    chunks: [number, string][];
  }
  interface Expected {
    snapshots: { archives: Record<string, { file_size: number; file_sha256: string; index?: IndexVector }> }[];
  }
  const { snapshots } = vectorJson<Expected>("datastore/expected.json");
  const archives = snapshots.flatMap(({ archives }) => Object.values(archives));
  let checked = 0;
  for (const { file_size, file_sha256, index } of archives) {
    if (!index) continue;
    const identity = { uuid: fromHex(index.uuid), ctime: index.ctime };
    const writer = index.kind === "fixed"
      ? new FixedIndexWriter({ ...identity, size: index.size })
      : new DynamicIndexWriter(identity);
    let start = 0;
    for (const [end, digest] of index.chunks) {
      if (writer instanceof FixedIndexWriter) writer.set(start, end - start, fromHex(digest));
      else writer.append(start, end - start, fromHex(digest));
      start = end;
    }
    const { parts, csum, fileSize } = await writer.finish();
    const file = concatBytes(...parts);
    assert.equal(createHash("sha256").update(file).digest("hex"), file_sha256);
    assert.deepEqual([fileSize, toHex(csum)], [file_size, index.header_csum]);
    const read = index.kind === "fixed" ? new FixedIndex(file) : new DynamicIndex(file);
    assert.deepEqual([...read.chunks()].map(({ end, digest }) => [end, toHex(digest)]), index.chunks);
    assert.deepEqual([read.size, toHex(read.uuid), read.ctime], [index.size, index.uuid, index.ctime]);
    checked++;
  }
  assert.equal(checked, 51);
});

Deno.test("offsets belong to the chunk that starts there", () => {
  for (const index of [new FixedIndex(fromHex(spec.fidx)), new DynamicIndex(fromHex(spec.didx))] as ChunkIndex[]) {
    const [first] = index.chunks();
    assert.deepEqual([0, first.end - 1, first.end, index.size - 1].map((offset) => index.find(offset)), [0, 0, 1, 1]);
    for (const offset of [-1, index.size, NaN]) assert.throws(() => index.find(offset), RangeError);
    for (const number of [-1, 2, 0.5]) assert.throws(() => index.chunkAt(number), RangeError);
    assert.deepEqual(index.chunkAt(0), first);
  }
});

Deno.test("a large index is read piece by piece", async () => {
  const writer = new DynamicIndexWriter(identity);
  const count = 100_000;
  for (let i = 0; i < count; i++) writer.append(i * 1000, 1000, digest(String(i % 7)));
  const { parts, csum } = await writer.finish();
  const source = counted(concatBytes(...parts));
  const index = new DynamicIndex(source);
  assert.equal(index.size, count * 1000);
  assert.ok(bytesEqual(await index.csum(), csum));
  assert.ok(source.most < MIB);
  source.most = 0;
  assert.equal(index.find(77_777_500), 77_777);
  assert.deepEqual(index.chunkAt(77_777), { start: 77_777_000, end: 77_778_000, digest: digest(String(77_777 % 7)) });
  assert.ok(source.most <= 32);
});

Deno.test("FF-11 FF-13 damaged indexes are refused with their offset, good ones read", () => {
  interface Case {
    file: string;
    inspect_file: { exit: number };
  }
  const { indexes } = vectorJson<{ indexes: Case[] }>("datastore/malformed.json");
  // The reference does not look at the end offsets when it opens an index.
  const stricter = ["ends-decreasing", "ends-equal", "end-huge"].map((name) => `malformed/${name}.didx`);
  for (const { file, inspect_file: { exit } } of indexes) {
    const bytes = vector(`datastore/${file}`);
    const open = () => file.endsWith(".didx") ? new DynamicIndex(bytes) : new FixedIndex(bytes);
    if (exit === 0 && !stricter.includes(file)) assert.ok(open().count > 0, file);
    else assert.throws(open, (error) => error instanceof FormatError && error.offset !== undefined, file);
  }
});

Deno.test("the checksum in the header is not trusted", async () => {
  for (const [open, name] of [[FixedIndex, "fidx"], [DynamicIndex, "didx"]] as const) {
    const good = new open(vector(`datastore/malformed/good.${name}`));
    const wrong = new open(vector(`datastore/malformed/csum-wrong.${name}`));
    assert.ok(!bytesEqual(wrong.headerCsum, good.headerCsum));
    assert.ok(bytesEqual(await wrong.csum(), await good.csum()));
  }
});

Deno.test("a dynamic index takes no gap, overlap, empty or oversized chunk", async () => {
  const writer = new DynamicIndexWriter(identity);
  await assert.rejects(writer.finish(), /without chunks/);
  writer.append(0, 10, digest("a"));
  for (const start of [0, 9, 11]) assert.throws(() => writer.append(start, 5, digest("b")), /does not continue/);
  for (const length of [0, -1, 1.5, 16 * MIB + 1]) assert.throws(() => writer.append(10, length, digest("b")));
  assert.throws(() => writer.append(10, 5, new Uint8Array(31)));
  assert.deepEqual([writer.count, writer.size], [1, 10]);
});

Deno.test("a fixed index takes chunks in any order, but only aligned, within the size and short at the end", async () => {
  const writer = new FixedIndexWriter({ ...identity, size: 10 * MIB });
  const add = (start: number, length: number) => writer.set(start, length, digest(`${start}`));
  for (const [start, length] of [[1, 4 * MIB], [4 * MIB, 5 * MIB], [8 * MIB, 3 * MIB], [12 * MIB, 1], [0, 3 * MIB]]) {
    assert.throws(() => add(start, length), Error, `${start} ${length}`);
  }
  assert.throws(() => add(8 * MIB, 4 * MIB), /exceeds/);
  add(8 * MIB, 2 * MIB);
  add(0, 4 * MIB);
  await assert.rejects(writer.finish(), /has 2 of 3 chunks/);
  add(4 * MIB, 4 * MIB);
  add(4 * MIB, 4 * MIB);
  assert.deepEqual([writer.appended, writer.count], [4, 3]);
  const { parts } = await writer.finish();
  const index = new FixedIndex(concatBytes(...parts));
  assert.deepEqual([...index.chunks()].map(({ start, digest }) => [start, toHex(digest)]), [
    [0, toHex(digest("0"))],
    [4 * MIB, toHex(digest(`${4 * MIB}`))],
    [8 * MIB, toHex(digest(`${8 * MIB}`))],
  ]);
});

Deno.test("a fixed index of unknown size grows until a short chunk ends it", async () => {
  const writer = new FixedIndexWriter({ ...identity });
  await assert.rejects(writer.finish(), /0 of 0 chunks/);
  writer.set(4 * MIB, 4 * MIB, digest("b"));
  assert.throws(() => writer.set(0, 1, digest("a")), /only the last/);
  writer.set(8 * MIB, 5, digest("c"));
  assert.throws(() => writer.set(8 * MIB, 4 * MIB, digest("c")), /exceeds/);
  assert.throws(() => writer.set(12 * MIB, 4 * MIB, digest("d")), /exceeds/);
  await assert.rejects(writer.finish(), /2 of 3/);
  writer.set(0, 4 * MIB, digest("a"));
  assert.equal((await writer.finish()).size, 8 * MIB + 5);
});

Deno.test("a size that nothing follows costs no memory", async () => {
  const writer = new FixedIndexWriter({ ...identity, size: 2 ** 50 });
  writer.set(2 ** 50 - 4 * MIB, 4 * MIB, digest("end"));
  await assert.rejects(writer.finish(), /has 1 of 268435456 chunks/);
  for (const size of [0, -1, 0.5, 2 ** 53]) assert.throws(() => new FixedIndexWriter({ ...identity, size }));
  for (const chunkSize of [0, 3, 32 * MIB]) {
    assert.throws(() => new FixedIndexWriter({ ...identity, size: 1, chunkSize }));
  }
});

Deno.test("reusing the previous fixed index gives what a full one would", async () => {
  const full = async (letters: string) => {
    const writer = new FixedIndexWriter({ ...identity, size: letters.length * 4 * MIB });
    [...letters].forEach((letter, i) => writer.set(i * 4 * MIB, 4 * MIB, digest(letter)));
    return concatBytes(...(await writer.finish()).parts);
  };
  const base = new FixedIndex(await full("abcd"));
  const writer = new FixedIndexWriter({ ...identity, size: 16 * MIB });
  writer.reuse(base);
  writer.set(4 * MIB, 4 * MIB, digest("x"));
  assert.equal(writer.appended, 1);
  assert.equal(toHex(concatBytes(...(await writer.finish()).parts)), toHex(await full("axcd")));
  assert.throws(() => new FixedIndexWriter({ ...identity, size: 20 * MIB }).reuse(base), /cannot be reused/);
  assert.throws(() => new FixedIndexWriter({ ...identity }).reuse(base), /unknown size/);
});

Deno.test("a new index has a version 4 UUID of its own", () => {
  const [one, two] = [toHex(randomUuid()), toHex(randomUuid())];
  assert.match(one, /^.{12}4.{3}[89ab].{15}$/);
  assert.notEqual(one, two);
});

Deno.test("any sequence of chunks survives writing and reading", async () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 16 * MIB }), { minLength: 1, maxLength: 40 });
  await fc.assert(fc.asyncProperty(lengths, fc.nat(), async (lengths, probe) => {
    const writer = new DynamicIndexWriter(identity);
    lengths.forEach((length, i) => writer.append(writer.size, length, digest(`${i}`)));
    const { parts, csum, size } = await writer.finish();
    const index = new DynamicIndex(concatBytes(...parts));
    assert.deepEqual([...index.chunks()].map(({ start, end }) => end - start), lengths);
    assert.ok(bytesEqual(await index.csum(), csum));
    const { start, end } = index.chunkAt(index.find(probe % size));
    assert.ok(start <= probe % size && probe % size < end);
  }));
});

Deno.test("mutated indexes never do worse than an error with an offset", async () => {
  for (const name of ["good.fidx", "good.didx"]) {
    const good = vector(`datastore/malformed/${name}`);
    // Damages near the header fields and the entries, which make up little of the file.
    const fields = good.subarray(0, 80);
    const entries = good.subarray(4096);
    const damaged = [
      ...mutations(good, 300, 1),
      ...[...mutations(fields, 600, 2)].map((fields) => concatBytes(fields, good.subarray(80))),
      ...[...mutations(entries, 600, 3)].map((entries) => concatBytes(good.subarray(0, 4096), entries)),
    ];
    for (const file of damaged) {
      try {
        const index = name.endsWith("fidx") ? new FixedIndex(file) : new DynamicIndex(file);
        assert.equal([...index.chunks()].length, index.count);
        assert.equal(index.find(index.size - 1), index.count - 1);
        await index.csum();
      } catch (error) {
        assert.ok(error instanceof FormatError && error.offset !== undefined, String(error));
      }
    }
  }
});
