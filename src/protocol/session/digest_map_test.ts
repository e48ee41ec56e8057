import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../../base/bytes.ts";
import { DigestMap } from "./digest_map.ts";

Deno.test("a digest map answers as a plain map does", () => {
  // Few different first bytes, so that slots collide.
  const digest = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 40 })).map(([head, tail]) => {
    const bytes = new Uint8Array(32).fill(head);
    bytes[31] = tail;
    return bytes;
  });
  fc.assert(fc.property(fc.array(fc.tuple(digest, fc.integer({ min: 1, max: 2 ** 24 }))), (entries) => {
    const map = new DigestMap();
    const plain = new Map<string, number>();
    for (const [key, size] of entries) {
      map.set(key, size);
      plain.set(toHex(key), size);
    }
    assert.equal(map.count, plain.size);
    for (const [key] of entries) assert.equal(map.get(key), plain.get(toHex(key)));
    assert.equal(map.get(new Uint8Array(32).fill(9)), undefined);
    assert.equal(map.has(new Uint8Array(32).fill(9)), false);
  }));
});

Deno.test("a digest map grows, and keeps copies of the digests", () => {
  const map = new DigestMap();
  const digest = new Uint8Array(32);
  const view = new DataView(digest.buffer);
  for (let i = 0; i < 20_000; i++) {
    view.setUint32(0, Math.imul(i, 2654435761));
    map.set(digest, i + 1);
  }
  assert.equal(map.count, 20_000);
  for (let i = 0; i < 20_000; i++) {
    view.setUint32(0, Math.imul(i, 2654435761));
    assert.equal(map.get(digest), i + 1);
  }
});
