import assert from "node:assert/strict";
import { fromHex, viewOf } from "../../base/bytes.ts";
import { findRecords, GoodbyeTable, readRecord, treeOrder } from "./goodbye.ts";
import { HEADER_SIZE, ITEM_RULES } from "./items.ts";
import { hashHalves, nameHash } from "./siphash.ts";
import { jsonVector } from "./testing_vectors.ts";

const text = new TextEncoder();

function hashHex(name: Uint8Array): string {
  nameHash(name);
  return [hashHalves[1], hashHalves[0]].map((half) => half.toString(16).padStart(8, "0")).join("");
}

interface Vectors {
  siphash: { name_hex: string; hash: string }[];
  goodbye_permutation: Record<string, number[]>;
}

Deno.test("FF-04 the name hash is SipHash-2-4 with the archive keys", () => {
  for (const { name_hex, hash } of jsonVector<Vectors>("spec/test-vectors.json").siphash) {
    assert.equal(hashHex(fromHex(name_hex)), hash);
  }
});

Deno.test("FF-03 every item type is the hash of its name", () => {
  const special = new Map([
    ["FORMAT_VERSION", "VERSION"],
    ["ENTRY", "ENTRY_V2"],
    ["ENTRY (obsolete)", "ENTRY"],
    ["PAYLOAD", "PXAR_PAYLOAD"],
    ["PAYLOAD_REF", "PXAR_PAYLOAD_REF"],
    ["goodbye tail", "PXAR_GOODBYE_TAIL_MARKER"],
    ["PAYLOAD_START_MARKER", "PXAR_PAYLOAD_START_MARKER"],
    ["PAYLOAD_TAIL_MARKER", "PXAR_PAYLOAD_TAIL_MARKER"],
  ]);
  for (const { name, hash } of ITEM_RULES) {
    assert.equal(hashHex(text.encode(`__PROXMOX_FORMAT_${special.get(name) ?? name}__`)), hash, name);
  }
});

Deno.test("FF-04 records are stored as a complete binary search tree", () => {
  for (const [n, order] of Object.entries(jsonVector<Vectors>("spec/test-vectors.json").goodbye_permutation)) {
    assert.deepEqual([...treeOrder(Number(n))], order);
  }
  assert.deepEqual([...treeOrder(0)], []);
});

Deno.test("FF-04 every child is found in its table and nothing else, for all sizes up to 200", () => {
  for (let n = 0; n <= 200; n++) {
    const table = new GoodbyeTable();
    for (let i = 0; i < n; i++) {
      nameHash(text.encode(`file-${i}`));
      table.add(hashHalves[0], hashHalves[1], i, i);
    }
    const item = table.encode(1000, 0);
    const records = new DataView(item.buffer, HEADER_SIZE, 24 * n);
    for (let i = 0; i < n; i++) {
      nameHash(text.encode(`file-${i}`));
      const found = findRecords(records, hashHalves[0], hashHalves[1]);
      assert.deepEqual(found.map((index) => readRecord(records, index)), [{ offset: 1000 - i, size: i }]);
    }
    nameHash(text.encode("missing"));
    assert.deepEqual(findRecords(records, hashHalves[0], hashHalves[1]), []);
  }
});

Deno.test("equal hashes are all found", () => {
  const table = new GoodbyeTable();
  for (let i = 0; i < 40; i++) table.add(i < 10 ? 1 : i < 30 ? 7 : 9, 5, i, 0);
  const records = viewOf(table.encode(100, 0).subarray(HEADER_SIZE, -24));
  const offsets = findRecords(records, 7, 5).map((index) => 100 - readRecord(records, index).offset);
  assert.deepEqual(offsets.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => 10 + i));
});
