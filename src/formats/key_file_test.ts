import assert from "node:assert/strict";
import { mutations } from "../../test/mutate.ts";
import { vectorJson, vectorText } from "../../test/vectors.ts";
import { toHex } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";
import { CryptKey, formatFingerprint } from "./crypt_key.ts";
import { formatKeyFile, generateKey, kdfName, openKeyFile, parseKeyFile, protectKey } from "./key_file.ts";

interface KeyVector {
  file: string;
  password: string | null;
  raw_key_hex: string;
  key_show_json: { created: number; modified: number; kdf: string; fingerprint: string; hint?: string };
}

const { keys } = vectorJson<{ keys: KeyVector[] }>("keys/keys.json");
const counting = Uint8Array.from({ length: 32 }, (_, i) => i);
const noPassphrase = () => {
  throw new Error("no passphrase must be asked for");
};
const times = { created: 1717596000, modified: 1717596060 };

Deno.test("FF-16 key files of the reference open and are written with the same bytes", async () => {
  for (const { file, password, raw_key_hex, key_show_json: shown } of keys) {
    const text = vectorText(`keys/${file}`);
    const parsed = parseKeyFile(text);
    const key = await openKeyFile(parsed, password === null ? noPassphrase : () => password);
    assert.equal(toHex(key.encKey), raw_key_hex);
    assert.equal(formatKeyFile(parsed), text);
    assert.equal(kdfName(parsed), shown.kdf);
    assert.deepEqual([parsed.created, parsed.modified, parsed.hint], [shown.created, shown.modified, shown.hint]);
    assert.equal(formatFingerprint(key.fingerprint), shown.fingerprint);
  }
});

Deno.test("FF-16 protected data of the specification opens with scrypt and PBKDF2", async () => {
  const salt = btoa(String.fromCharCode(...counting));
  const common = '"created":"2024-06-05T16:00:00+02:00","modified":"2024-06-05T14:00:00Z"';
  const cases = [
    [
      `{"Scrypt":{"n":65536,"r":8,"p":1,"salt":"${salt}"}}`,
      "EBESExQVFhcYGRobHB0eH2of8v0goUABRKl16kktup4Z3FaZHMVRxxBMKkqdkl9FgO4OtlrVYwa5vNMB7V+nBg==",
    ],
    [
      `{"PBKDF2":{"iter":65535,"salt":"${salt}"}}`,
      "EBESExQVFhcYGRobHB0eHx2wNfLLwskNIda9PIe3RLMFPRJAliODifh+qy/G9KuZCJALYtDkk6nnE776nakb5Q==",
    ],
  ];
  for (const [kdf, data] of cases) {
    const file = parseKeyFile(`{"kdf":${kdf},${common},"data":"${data}"}`);
    assert.equal(file.created, file.modified);
    assert.equal(toHex((await openKeyFile(file, () => "password")).encKey), toHex(counting));
  }
});

Deno.test("FF-16 CL-101 a new key file of each kind opens again with its passphrase only", async () => {
  const key = generateKey();
  const plain = await protectKey(key, { kdf: "none", ...times });
  assert.equal(formatKeyFile(plain, 120).length, 255);
  assert.ok(formatKeyFile(plain, 120).startsWith('{"kdf":null,"created":"2024-06-05T16:00:00+02:00",'));
  assert.equal(toHex((await openKeyFile(parseKeyFile(formatKeyFile(plain)), noPassphrase)).encKey), toHex(key.encKey));
  for (const kdf of ["scrypt", "pbkdf2"] as const) {
    const file = parseKeyFile(
      formatKeyFile(await protectKey(key, { kdf, passphrase: "Pässwörd", hint: "the usual", ...times })),
    );
    assert.equal(kdfName(file), kdf);
    if (kdf === "scrypt") {
      assert.deepEqual(file.kdf && "scrypt" in file.kdf && file.kdf.scrypt, { n: 65536, r: 8, p: 1 });
    } else assert.deepEqual(file.kdf && "pbkdf2" in file.kdf && file.kdf.pbkdf2, { iter: 65535 });
    assert.equal(file.kdf?.salt.length, 32);
    assert.equal(
      toHex((await openKeyFile(file, () => new TextEncoder().encode("Pässwörd"))).encKey),
      toHex(key.encKey),
    );
    await assert.rejects(
      openKeyFile(file, () => "wrong one"),
      /^DozoError: Unable to decrypt key \(password hint: the usual\)$/,
    );
    await assert.rejects(openKeyFile(file, () => "1234"), /Passphrase is too short!/);
  }
});

Deno.test("CL-101 a hint needs a password and has 1 to 64 characters", async () => {
  const key = CryptKey.fromRaw(counting);
  await assert.rejects(protectKey(key, { kdf: "none", hint: "x", ...times }), DozoError);
  for (const hint of ["", "x".repeat(65), "a\nb"]) {
    await assert.rejects(protectKey(key, { kdf: "pbkdf2", passphrase: "12345", hint, ...times }), DozoError);
  }
  await assert.rejects(protectKey(key, { kdf: "pbkdf2", passphrase: "1234", ...times }), /too short/);
  await assert.rejects(protectKey(key, { kdf: "scrypt", ...times }), /needs a passphrase/);
});

Deno.test("FF-16 a stored fingerprint of another key is refused, a missing one accepted", async () => {
  const json = JSON.parse(vectorText("keys/key-none.json"));
  const wrong = parseKeyFile(JSON.stringify({ ...json, fingerprint: `00${json.fingerprint.slice(2)}` }));
  await assert.rejects(openKeyFile(wrong, noPassphrase), /the file is damaged/);
  delete json.fingerprint;
  await openKeyFile(parseKeyFile(JSON.stringify(json)), noPassphrase);
});

Deno.test("FF-16 parameters and members that the format does not allow are refused", () => {
  const json = JSON.parse(vectorText("keys/key-scrypt.json"));
  const { n, r, p, salt } = json.kdf.Scrypt;
  const bad: unknown[] = [
    { ...json, kdf: "scrypt" },
    { ...json, kdf: {} },
    { ...json, kdf: null },
    { ...json, kdf: { Scrypt: { n: n - 1, r, p, salt } } },
    { ...json, kdf: { Scrypt: { n: 2 ** 21, r, p, salt } } },
    { ...json, kdf: { Scrypt: { n, r, p: 2 ** 20, salt } } },
    { ...json, kdf: { Scrypt: { n, r: 0, p, salt } } },
    { ...json, kdf: { Scrypt: { n, r, p, salt: "x" } } },
    { ...json, kdf: { Scrypt: { n, r, p, salt: "A".repeat(4000) } } },
    { ...json, kdf: { PBKDF2: { iter: 0, salt } } },
    { ...json, kdf: { PBKDF2: { iter: 10 ** 9, salt } } },
    { ...json, data: "AAAA" },
    { ...json, data: 5 },
    { ...json, created: "yesterday" },
    { ...json, modified: 17 },
    { ...json, fingerprint: "00:11" },
    { ...json, fingerprint: 5 },
    { ...json, hint: 5 },
    [],
  ];
  for (const value of bad) assert.throws(() => parseKeyFile(JSON.stringify(value)), FormatError, JSON.stringify(value));
  assert.throws(() => parseKeyFile(" ".repeat(70_000)), FormatError);
});

Deno.test("mutated key files never do worse than an error", async () => {
  for (const { file } of keys) {
    for (const bytes of mutations(new TextEncoder().encode(vectorText(`keys/${file}`)), 300)) {
      try {
        const parsed = parseKeyFile(bytes);
        formatKeyFile(parsed);
        if (parsed.kdf === null) await openKeyFile(parsed, noPassphrase);
      } catch (error) {
        assert.ok(error instanceof DozoError, String(error));
      }
    }
  }
});
