import assert from "node:assert/strict";
import fc from "fast-check";
import { vectorJson } from "../../test/vectors.ts";
import { fromHex, toHex } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { chunkDigest, CryptKey, formatFingerprint, parseFingerprint, shortFingerprint } from "./crypt_key.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);
const counting = Uint8Array.from({ length: 32 }, (_, i) => i);

Deno.test("FF-14 id key and fingerprint of known keys", () => {
  const { keys } = vectorJson<{ keys: { raw_key_hex: string; id_key_hex: string; fingerprint: string }[] }>(
    "keys/keys.json",
  );
  const known = [...keys, {
    raw_key_hex: toHex(counting),
    id_key_hex: "7c2c013efd07f3b25717a485263343cd4d292a4b65c200bb3b18ea227abe225c",
    fingerprint: "0e:ab:d4:46:0b:6e:b9:ca:34:50:23:de:e2:b7:78:c7:90:e5:4a:16:83:b9:65:9c:0a:57:ae:19:90:90:15:9b",
  }, {
    raw_key_hex: "09".repeat(32),
    id_key_hex: "d8574fc7e9bcffc3127c21c78bebf73504a3be683e4dba652865f23435609353",
    fingerprint: "1a:c8:2c:72:fb:bb:62:06:ec:15:89:77:f8:f9:e8:74:3f:be:4f:78:3f:31:4f:45:c8:2f:a0:87:f9:b5:cd:8a",
  }, {
    raw_key_hex: "00".repeat(32),
    id_key_hex: "1fa7f0ef7eae0e67adbec4219b31d02fbb831d686fda90ea02c47b91c6df888e",
    fingerprint: "6f:10:a0:83:b8:9e:37:06:a0:b8:ce:ca:cc:12:0e:9f:40:6e:49:37:e8:60:0d:78:6d:42:0d:38:fb:67:de:7a",
  }];
  for (const { raw_key_hex, id_key_hex, fingerprint } of known) {
    const key = CryptKey.fromRaw(fromHex(raw_key_hex));
    assert.equal(toHex(key.idKey), id_key_hex);
    assert.equal(formatFingerprint(key.fingerprint), fingerprint);
  }
});

Deno.test("FF-14 plain and keyed chunk digests", async () => {
  const key = CryptKey.fromRaw(counting);
  const digests = {
    "hello": "e34178a27b992c4a218599bf7f43ed50bc464a03d624d9092306fe2ed74d557e",
    "": "d213f9b52d680fbe05942a8b5540377dd5f627132c2889e5389f690b683f1d7f",
    "hello world": "29d6770e718a93cf4a7663ddc167cf40c128b67cc20d36bd49adec140981f9d5",
  };
  for (const [text, digest] of Object.entries(digests)) assert.equal(toHex(await key.digest(utf8(text))), digest);
  assert.equal(
    toHex(await chunkDigest(utf8("hello world"))),
    "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
  );
  assert.equal(
    toHex(await chunkDigest(new Uint8Array(4 * 1024 * 1024))),
    "bb9f8df61474d25e71fa00722318cd387396ca1736605e1248821cc0de3d3af8",
  );
});

Deno.test("the authentication tag is the HMAC with the id key", () => {
  assert.equal(
    toHex(CryptKey.fromRaw(counting).authTag(utf8("hello"))),
    "607767f76cc1b68b1a3f00b51a864436380f474db7940f9c6d06b6e5c643331a",
  );
});

Deno.test("a key is 32 bytes and keeps its own copy", () => {
  assert.throws(() => CryptKey.fromRaw(new Uint8Array(31)), FormatError);
  const raw = counting.slice();
  const key = CryptKey.fromRaw(raw);
  raw.fill(0);
  assert.equal(toHex(key.encKey), toHex(counting));
});

Deno.test("fingerprints are read with and without colons and shown short", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
    assert.equal(toHex(parseFingerprint(formatFingerprint(bytes))), toHex(bytes));
    assert.equal(toHex(parseFingerprint(toHex(bytes).toUpperCase())), toHex(bytes));
    assert.equal(shortFingerprint(bytes), formatFingerprint(bytes).slice(0, 23));
  }));
  for (const text of ["", "0e:ab", "zz".repeat(32), "00".repeat(33)]) {
    assert.throws(() => parseFingerprint(text), FormatError);
  }
});
