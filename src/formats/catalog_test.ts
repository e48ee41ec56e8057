import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { bytesEqual, concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { CATALOG_MAGIC, type CatalogEntry, CatalogReader, CatalogWriter } from "./catalog.ts";

const readJson = (name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`../../test/vectors/${name}`, import.meta.url)));
const VECTORS = readJson("spec/test-vectors.json").catalog;

function written(fill: (writer: CatalogWriter) => void): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const writer = new CatalogWriter((bytes) => parts.push(bytes));
  fill(writer);
  writer.finish();
  const bytes = concatBytes(...parts);
  assert.equal(writer.size, bytes.length);
  return bytes;
}

function sample(writer: CatalogWriter): void {
  writer.startDirectory("root.pxar.didx");
  writer.addFile("a.txt", 5, 1700000000);
  writer.startDirectory("dir");
  writer.addFile("old", 300, -1);
  writer.addEntry("l", "lnk");
  writer.endDirectory();
  for (const [type, name] of [["h", "hard"], ["p", "fifo"], ["s", "sock"], ["b", "blk"], ["c", "chr"]] as const) {
    writer.addEntry(type, name);
  }
  writer.endDirectory();
}

const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);

async function dump(reader: CatalogReader): Promise<string[]> {
  const lines: string[] = [];
  for await (const { path, entry } of reader.walk()) {
    lines.push(`${entry.type} ${path.map(text).join("/")} ${entry.size ?? ""} ${entry.mtime ?? ""}`.trimEnd());
  }
  return lines;
}

Deno.test("FF-17 the catalog of the specification, written and read", async () => {
  const bytes = written(sample);
  assert.equal(toHex(bytes), VECTORS.sample);
  const reader = await CatalogReader.open(bytes);
  assert.deepEqual(await dump(reader), [
    "d root.pxar.didx",
    "f root.pxar.didx/a.txt 5 1700000000",
    "d root.pxar.didx/dir",
    "f root.pxar.didx/dir/old 300 -1",
    "l root.pxar.didx/dir/lnk",
    "h root.pxar.didx/hard",
    "p root.pxar.didx/fifo",
    "s root.pxar.didx/sock",
    "b root.pxar.didx/blk",
    "c root.pxar.didx/chr",
  ]);
  const path = ["root.pxar.didx", "dir", "old"].map((name) => new TextEncoder().encode(name));
  assert.equal((await reader.lookup(path))?.size, 300);
  assert.equal(await reader.lookup([...path, path[0]]), undefined);
  assert.equal(await reader.lookup([path[1]]), undefined);
});

Deno.test("FF-17 an empty archive, and two archives in one catalog", async () => {
  const empty = written((writer) => {
    writer.startDirectory("root.pxar.didx");
    writer.endDirectory();
  });
  assert.equal(toHex(empty), VECTORS.empty_archive);
  const two = written((writer) => {
    sample(writer);
    writer.startDirectory("etc.pxar.didx");
    writer.addFile("hosts", 1, 2);
    writer.endDirectory();
  });
  const lines = await dump(await CatalogReader.open(two));
  assert.deepEqual(lines.slice(-2), ["d etc.pxar.didx", "f etc.pxar.didx/hosts 1 2"]);
  assert.equal(lines.length, 12);
});

Deno.test("FF-17 the catalog that the established client wrote for 30,000 files", () => {
  const expected = readJson("chunker/chunker.json").streams.find((stream: { file: string }) =>
    stream.file.startsWith("catalog")
  );
  const bytes = written((writer) => {
    writer.startDirectory("x.pxar.didx");
    for (let i = 0; i < 30000; i++) {
      writer.addFile(`entry-${String(i).padStart(6, "0")}-with-a-name-that-takes-some-room`, 0, 1700000000);
    }
    writer.endDirectory();
  });
  assert.equal(bytes.length, expected.size);
  assert.equal(createHash("sha256").update(bytes).digest("hex"), expected.sha256);
});

type Listed = { path: string | { base64: string }; type: CatalogEntry["type"]; size?: number; mtime?: number };

/** Writes a catalog from a listing in stored order. */
function fromListing(listing: readonly Listed[]): Uint8Array<ArrayBuffer> {
  return written((writer) => {
    let depth = 0;
    for (const { path, type, size, mtime } of listing) {
      const full = typeof path === "string" ? new TextEncoder().encode(path) : Uint8Array.fromBase64(path.base64);
      const level = full.filter((byte) => byte === 0x2f).length;
      for (; depth >= level; depth--) writer.endDirectory();
      const name = full.subarray(full.lastIndexOf(0x2f) + 1);
      if (type === "d") writer.startDirectory(name), depth = level;
      else if (type === "f") writer.addFile(name, size!, mtime!);
      else writer.addEntry(type, name);
    }
    for (; depth > 0; depth--) writer.endDirectory();
  });
}

Deno.test("FF-17 the catalogs of a real datastore come out byte for byte, and list as they did", async () => {
  let checked = 0;
  for (const snapshot of readJson("datastore/expected.json").snapshots) {
    const archive = snapshot.archives["catalog.pcat1.didx"];
    if (!archive?.catalog) continue;
    const bytes = fromListing(archive.catalog);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), archive.stream_sha256);
    const listing: Listed[] = [];
    for await (const { path, entry } of (await CatalogReader.open(bytes)).walk()) {
      const full = concatBytes(...path.flatMap((name) => [Uint8Array.of(0x2f), name]));
      const shown = new TextDecoder().decode(full);
      const { type, size, mtime } = entry;
      const same = bytesEqual(new TextEncoder().encode(shown), full);
      listing.push({
        path: same ? shown : { base64: full.toBase64() },
        type,
        ...(type === "f" ? { size, mtime } : {}),
      });
    }
    assert.deepEqual(listing, archive.catalog);
    checked++;
  }
  assert.equal(checked, 12);
});

Deno.test("the reader asks for bounded pieces and keeps names as bytes", async () => {
  const odd = Uint8Array.of(0xff, 0x0a, 0x2e, 0x80);
  const bytes = written((writer) => {
    writer.startDirectory("x.pxar.didx");
    for (let i = 0; i < 20000; i++) writer.addFile(`${i}`.padStart(40, "x"), i, i);
    writer.addEntry("l", odd);
    writer.endDirectory();
  });
  let largest = 0;
  const reader = await CatalogReader.open({
    size: bytes.length,
    read: (offset, length) => {
      largest = Math.max(largest, length);
      return Promise.resolve(bytes.slice(offset, offset + length));
    },
  });
  let count = 0;
  let last: CatalogEntry | undefined;
  for await (const { entry } of reader.walk()) count++, last = entry;
  assert.equal(count, 20002);
  assert.ok(bytesEqual(last!.name, odd));
  assert.ok(largest <= 65536, `read ${largest} bytes at once`);
});

Deno.test("damaged catalogs are refused with the offset of the fault", async () => {
  const good = fromHex(VECTORS.sample);
  const changed = (at: number, ...values: number[]) => {
    const bytes = good.slice();
    bytes.set(values, at);
    return bytes;
  };
  const cases: [string, Uint8Array, RegExp][] = [
    ["magic", changed(0, 0), /magic/],
    ["root before the first block", changed(92, 7), /root at 7/],
    ["root behind the end", changed(92, 92), /root at 92/],
    ["unknown type", changed(10, 0x78), /entry type 120/],
    ["block longer than the catalog", changed(73, 0x7f), /claims 127/],
    ["block too short", changed(8, 0x0e), /surplus|ends within/],
    ["block too long", changed(8, 0x10), /surplus/],
    ["distance 0", changed(91, 0), /distance 0/],
    ["distance beyond the start", changed(91, 0x42), /distance 66/],
    ["name of 4096 bytes", changed(11, 0x80, 0x20), /name of 4096/],
  ];
  for (const [name, bytes, message] of cases) {
    const attempt = CatalogReader.open(bytes).then(dump);
    await assert.rejects(attempt, (error: Error) => error instanceof FormatError && message.test(error.message), name);
  }
  for (let length = 0; length < good.length; length++) {
    await assert.rejects(CatalogReader.open(good.subarray(0, length)).then(dump), FormatError, `cut to ${length}`);
  }
});

Deno.test("directories that share blocks do not make a small catalog endless", async () => {
  // Each of 60 directories has two entries for the one before it: 2^60 paths.
  const blocks: number[] = [...CATALOG_MAGIC, 1, 0];
  let previous = CATALOG_MAGIC.length;
  for (let i = 0; i < 60; i++) {
    const at = blocks.length;
    const distance = at - previous;
    blocks.push(9, 2, 0x64, 1, 0x61, distance, 0x64, 1, 0x62, distance);
    previous = at;
  }
  const bytes = concatBytes(Uint8Array.from(blocks), Uint8Array.of(previous & 255, previous >> 8, 0, 0, 0, 0, 0, 0));
  await assert.rejects(CatalogReader.open(bytes).then(dump), /out of order/);
});

Deno.test("the writer refuses what cannot be stored", () => {
  const writer = new CatalogWriter(() => {});
  assert.throws(() => writer.endDirectory(), /no catalog directory/);
  assert.throws(() => writer.addEntry("l", ""), /1 to 4095/);
  assert.throws(() => writer.addEntry("l", "x".repeat(4096)), /1 to 4095/);
  writer.startDirectory("a");
  assert.throws(() => writer.finish(), /still open/);
  writer.endDirectory();
  writer.finish();
  assert.throws(() => writer.addEntry("l", "x"), /finished/);
});

type Node = { name: Uint8Array; children?: Node[]; size?: number; mtime?: number };
const nodes = fc.letrec<{ node: Node; directory: Node }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.record({
      name: fc.uint8Array({ minLength: 1, maxLength: 300 }),
      size: fc.maxSafeNat(),
      mtime: fc.maxSafeInteger(),
    }),
    tie("directory"),
  ),
  directory: fc.record({
    name: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    children: fc.array(tie("node"), { maxLength: 5 }),
  }),
}));

Deno.test("property: any tree comes back", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(nodes.directory, { maxLength: 3 }), async (archives) => {
      const expected: string[] = [];
      const write = (writer: CatalogWriter, node: Node, path: string) => {
        const here = `${path}/${toHex(node.name)}`;
        expected.push(`${here} ${node.size} ${node.mtime}`);
        if (!node.children) return writer.addFile(node.name, node.size!, node.mtime!);
        writer.startDirectory(node.name);
        for (const child of node.children) write(writer, child, here);
        writer.endDirectory();
      };
      const bytes = written((writer) => archives.forEach((archive) => write(writer, archive, "")));
      const found: string[] = [];
      for await (const { path, entry } of (await CatalogReader.open(bytes)).walk()) {
        found.push(`/${path.map(toHex).join("/")} ${entry.size} ${entry.mtime}`);
      }
      assert.deepEqual(found, expected);
    }),
    { numRuns: 60 },
  );
});

Deno.test("fuzz: mutated catalogs end in entries or a FormatError, never anything else", async () => {
  const good = fromHex(VECTORS.sample);
  const mutations = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(mutations, async (changes) => {
      const bytes = good.slice();
      for (const [at, value] of changes) bytes[at] = value;
      bytes.set(CATALOG_MAGIC);
      try {
        let budget = 10000;
        for await (const _ of (await CatalogReader.open(bytes)).walk()) assert.ok(--budget > 0, "endless walk");
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
    { numRuns: 500 },
  );
});
