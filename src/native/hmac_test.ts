import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { crc32 as nodeCrc32 } from "node:zlib";
import { concatBytes, toHex } from "../base/bytes.ts";
import { crc32, crc32Async } from "./crc32.ts";
import { hmacSha256, randomBytes } from "./hmac.ts";

Deno.test("HMAC-SHA-256: RFC 4231 test case 2, whole and in parts", () => {
  const expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  const text = new TextEncoder();
  assert.equal(toHex(hmacSha256(text.encode("Jefe"), text.encode("what do ya want for nothing?"))), expected);
  assert.equal(
    toHex(hmacSha256(text.encode("Jefe"), text.encode("what do ya "), text.encode("want for nothing?"))),
    expected,
  );
});

Deno.test("random bytes: any length, never twice the same", () => {
  assert.equal(randomBytes(0).length, 0);
  const [a, b] = [randomBytes(200_000), randomBytes(200_000)];
  assert.notEqual(createHash("sha256").update(a).digest("hex"), createHash("sha256").update(b).digest("hex"));
  assert.ok(a.subarray(196_608).some((byte) => byte !== 0));
});

Deno.test("CRC-32: check value, continuation, and pieces with pauses", async () => {
  const digits = new TextEncoder().encode("123456789");
  assert.equal(crc32(digits), 0xcbf43926);
  assert.equal(crc32(digits.subarray(4), crc32(digits.subarray(0, 4))), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
  const large = new Uint8Array(20 << 20).fill(0x5a, 100);
  assert.equal(await crc32Async(large), nodeCrc32(large));
  assert.equal(await crc32Async(large, 77), nodeCrc32(large, 77));
  assert.equal(await crc32Async(concatBytes(), 5), 5);
});
