import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, toHex } from "../base/bytes.ts";
import { openLibcrypto } from "./libcrypto.ts";
import { hashNonblocking, Sha256, sha256, sha256BuiltIn, sha256Library, sha256Sync } from "./sha256.ts";

const HELLO = "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9";
const ZEROS_4_MIB = "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8";
const library = openLibcrypto();

Deno.test("SHA-256: known digests, large and small", async () => {
  assert.equal(toHex(sha256Sync(new TextEncoder().encode("hello world"))), HELLO);
  assert.equal(toHex(await sha256(new TextEncoder().encode("hello "), new TextEncoder().encode("world"))), HELLO);
  assert.equal(toHex(await sha256(new Uint8Array(4 << 20))), ZEROS_4_MIB);
  assert.equal(toHex(await sha256(new Uint8Array(4_000_000), new Uint8Array(194_304))), ZEROS_4_MIB);
  const hash = new Sha256();
  for (let i = 0; i < 64; i++) hash.update(new Uint8Array(65536));
  assert.equal(toHex(hash.digest()), ZEROS_4_MIB);
  assert.equal(toHex(sha256Sync()), toHex(sha256Sync(new Uint8Array())));
});

Deno.test("SHA-256: libcrypto agrees with the runtime's own code", { ignore: library === null }, async () => {
  assert.ok(library);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 4 }), async (parts) => {
      const expected = sha256BuiltIn(...parts);
      assert.deepEqual(sha256Library(library, ...parts), expected);
      assert.deepEqual(await hashNonblocking(library, parts), expected);
    }),
    { numRuns: 50 },
  );
  const parts = [crypto.getRandomValues(new Uint8Array(65536)), new Uint8Array(200_001).fill(7), new Uint8Array(32)];
  assert.deepEqual(await hashNonblocking(library, parts), sha256BuiltIn(concatBytes(...parts)));
});

Deno.test("SHA-256: many at once do not mix", async () => {
  const inputs = Array.from({ length: 40 }, (_, i) => new Uint8Array(100_000 + i).fill(i));
  const digests = await Promise.all(inputs.map((input, i) => i % 2 ? sha256(input) : sha256(input, new Uint8Array(3))));
  inputs.forEach((input, i) => {
    assert.deepEqual(digests[i], i % 2 ? sha256BuiltIn(input) : sha256BuiltIn(input, new Uint8Array(3)));
  });
});
