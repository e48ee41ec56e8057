import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { vector, vectorJson, vectorText } from "../../test/vectors.ts";
import { fromHex, toHex } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { decodeBlob } from "./blob.ts";
import { CryptKey } from "./crypt_key.ts";
import { formatKeyFile, openKeyFile } from "./key_file.ts";
import { createMasterKey, masterKeyInfo, unwrapKey, wrapKey } from "./rsa_key.ts";

interface Keys {
  keys: { file: string; raw_key_hex: string }[];
  master: { password: string; show_json: { exponent: string; length: number; modulus: string; path: string } };
  escrow: { file: string; ciphertext_bytes: number; decrypted_text: string }[];
}

const { keys, master, escrow } = vectorJson<Keys>("keys/keys.json");
const publicPem = vectorText("keys/master-public.pem");
const privatePem = vectorText("keys/master-private.pem");
const noPassphrase = () => {
  throw new Error("no passphrase must be asked for");
};

Deno.test("keys that the reference wrapped are recovered with the master key", async () => {
  for (const { file, ciphertext_bytes, decrypted_text } of escrow) {
    const ciphertext = await decodeBlob(vector(`keys/${file}`));
    assert.equal(ciphertext.length, ciphertext_bytes);
    const recovered = unwrapKey(privatePem, master.password, ciphertext);
    assert.equal(formatKeyFile(recovered), decrypted_text);
    await openKeyFile(recovered, noPassphrase);
  }
});

Deno.test("a wrapped key has the size of the modulus and can be recovered", async () => {
  const key = CryptKey.fromRaw(fromHex(keys[0].raw_key_hex));
  const ciphertext = await wrapKey(publicPem, key, { created: 1717596000, modified: 1717596060, utcOffset: 120 });
  assert.equal(ciphertext.length, 512);
  const recovered = unwrapKey(privatePem, master.password, ciphertext);
  assert.equal(toHex((await openKeyFile(recovered, noPassphrase)).encKey), keys[0].raw_key_hex);
  assert.deepEqual([recovered.created, recovered.modified, recovered.kdf], [1717596000, 1717596060, null]);
});

Deno.test("the parameters of a public master key are those the reference shows", () => {
  const { modulus, exponent, length } = masterKeyInfo(publicPem);
  assert.deepEqual({ exponent, length, modulus, path: master.show_json.path }, master.show_json);
});

Deno.test("a new master key is an encrypted PKCS#8 pair", async () => {
  // A short key, because 4096 bits take seconds; the length is a parameter of the same call.
  const pair = await createMasterKey("a passphrase", 2304);
  assert.match(pair.privatePem, /^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  assert.match(pair.publicPem, /^-----BEGIN PUBLIC KEY-----\n/);
  // The object identifier of aes-256-cbc, 2.16.840.1.101.3.4.1.42.
  const der = atob(pair.privatePem.replace(/-----.*-----/g, "").replaceAll("\n", ""));
  assert.ok(der.includes("\x60\x86\x48\x01\x65\x03\x04\x01\x2a"));
  assert.equal(createPrivateKey({ key: pair.privatePem, passphrase: "a passphrase" }).asymmetricKeyType, "rsa");
  assert.equal(masterKeyInfo(pair.publicPem).length, 2304);
  const ciphertext = await wrapKey(pair.publicPem, CryptKey.fromRaw(new Uint8Array(32)), { created: 0, modified: 0 });
  unwrapKey(pair.privatePem, "a passphrase", ciphertext);
  assert.throws(() => unwrapKey(privatePem, master.password, ciphertext), /wrapped with another one/);
});

Deno.test("wrong passphrase, wrong file and too short a key are told apart", async () => {
  const key = CryptKey.fromRaw(new Uint8Array(32));
  const times = { created: 0, modified: 0 };
  assert.throws(() => unwrapKey(privatePem, "wrong", new Uint8Array(512)), /wrong passphrase, or not a PEM file/);
  assert.throws(() => unwrapKey("hello", "x", new Uint8Array(512)), DozoError);
  for (const length of [0, 511, 512]) {
    assert.throws(() => unwrapKey(privatePem, master.password, new Uint8Array(length)), DozoError);
  }
  await assert.rejects(wrapKey("hello", key, times), /not a PEM file of an RSA public key/);
  await assert.rejects(wrapKey("x".repeat(70_000), key, times), /too long/);
  const short = await createMasterKey("a passphrase", 2048);
  await assert.rejects(wrapKey(short.publicPem, key, times), /2048 bits, but .* at least 2128/);
});
