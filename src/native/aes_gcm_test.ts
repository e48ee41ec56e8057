import assert from "node:assert/strict";
import { gcm } from "@noble/ciphers/aes.js";
import { concatBytes, fromHex, toHex } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import {
  aesGcmDecrypt,
  aesGcmEncrypt,
  aesGcmEncryptInto,
  decryptBuiltIn,
  decryptLibrary,
  encryptBuiltIn,
  encryptLibrary,
} from "./aes_gcm.ts";
import { openLibcrypto } from "./libcrypto.ts";

const library = openLibcrypto();
const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const iv = Uint8Array.from({ length: 16 }, (_, i) => 16 + i);

Deno.test("AES-256-GCM: the vector of the blob format", async () => {
  const { tag, body } = await aesGcmEncrypt(key, iv, new TextEncoder().encode("hello world"));
  assert.equal(toHex(tag), "26f970bd1579ed9fd66914f526604f05");
  assert.equal(toHex(body), "e23f560c88514cc01967fa");
  assert.equal(new TextDecoder().decode(await aesGcmDecrypt(key, iv, tag, body)), "hello world");
});

Deno.test("AES-256-GCM: libcrypto, WebCrypto and @noble/ciphers agree", { ignore: library === null }, async () => {
  assert.ok(library);
  for (const length of [0, 1, 15, 16, 17, 1000, 65535, 65536, 300_001]) {
    const plain = new Uint8Array(length).map((_, i) => i * 7);
    const expected = gcm(key, iv).encrypt(plain);
    const encryptors: (typeof encryptBuiltIn)[] = [encryptBuiltIn, (...args) => encryptLibrary(library, ...args)];
    for (const encrypt of encryptors) {
      const body = new Uint8Array(length);
      const tag = await encrypt(key, iv, plain, body);
      assert.equal(toHex(concatBytes(body, tag)), toHex(expected), `${length} bytes`);
      const back = new Uint8Array(length);
      assert.equal(await decryptLibrary(library, key, iv, tag, body, back), true);
      assert.equal(toHex(back), toHex(plain));
      back.fill(0);
      assert.equal(await decryptBuiltIn(key, iv, tag, body, back), true);
      assert.equal(toHex(back), toHex(plain));
      const wrong = tag.map((byte, i) => i === 15 ? byte ^ 1 : byte);
      assert.equal(await decryptLibrary(library, key, iv, wrong, body, back), false);
      assert.equal(await decryptBuiltIn(key, iv, wrong, body, back), false);
    }
  }
});

Deno.test("AES-256-GCM: encrypts in place, many at once", async () => {
  await Promise.all(Array.from({ length: 16 }, async (_, i) => {
    const plain = new Uint8Array(70_000).fill(i);
    const buffer = Uint8Array.from(plain);
    const tag = await aesGcmEncryptInto(key, iv, buffer, buffer);
    const expected = await aesGcmEncrypt(key, iv, plain);
    assert.deepEqual(tag, expected.tag);
    assert.equal(toHex(buffer), toHex(expected.body));
  }));
});

Deno.test("AES-256-GCM: a changed bit anywhere is refused, wrong lengths too", async () => {
  const { tag, body } = await aesGcmEncrypt(key, iv, new Uint8Array(100));
  const flipped = (bytes: Uint8Array) => bytes.map((byte, i) => i === 3 ? byte ^ 0x10 : byte);
  await assert.rejects(() => aesGcmDecrypt(flipped(key), iv, tag, body), DozoError);
  await assert.rejects(() => aesGcmDecrypt(key, flipped(iv), tag, body), DozoError);
  await assert.rejects(() => aesGcmDecrypt(key, iv, flipped(tag), body), DozoError);
  await assert.rejects(() => aesGcmDecrypt(key, iv, tag, flipped(body)), DozoError);
  await assert.rejects(() => aesGcmDecrypt(key, iv, tag.subarray(1), body), DozoError);
  await assert.rejects(() => aesGcmEncrypt(fromHex("00"), iv, body), DozoError);
  await assert.rejects(() => aesGcmEncrypt(key, key, body), DozoError);
  await assert.rejects(() => aesGcmEncryptInto(key, iv, body, new Uint8Array(99)), DozoError);
});
