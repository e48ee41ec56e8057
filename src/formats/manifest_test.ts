import assert from "node:assert/strict";
import fc from "fast-check";
import { mutations } from "../../test/mutate.ts";
import { vectorJson } from "../../test/vectors.ts";
import { fromHex } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";
import { encodeBlob } from "./blob.ts";
import { CryptKey, formatFingerprint } from "./crypt_key.ts";
import { Manifest, type ManifestFile } from "./manifest.ts";

interface Snapshot {
  ns: string;
  snapshot: string;
  key: string | null;
  snapshot_files: { "crypt-mode": string; filename: string; size: number }[];
  manifest_text: string;
}
interface Keys {
  keys: { file: string; raw_key_hex: string }[];
  signatures: { snapshot: string; key: string; canonical: string; signature: string }[];
}

const { snapshots } = vectorJson<{ snapshots: Snapshot[] }>("datastore/expected.json");
const { keys, signatures } = vectorJson<Keys>("keys/keys.json");
const utf8 = (text: string) => new TextEncoder().encode(text);
const keyOf = (file: string) => CryptKey.fromRaw(fromHex(keys.find((key) => key.file === file)?.raw_key_hex ?? ""));
const snapshot = { type: "host", id: "elsa", time: 1593179765 } as const;
const file = (filename: string, mode: "none" | "encrypt" = "none", byte = "01"): ManifestFile => ({
  filename,
  "crypt-mode": mode,
  size: 200,
  csum: byte.repeat(32),
});

function elsa(): Manifest {
  const manifest = Manifest.create(snapshot);
  manifest.addFile(file("test1.img.fidx", "encrypt"));
  manifest.addFile(file("abc.blob", "none", "02"));
  return manifest;
}

Deno.test("FF-15 manifests of the reference are read and written with the same bytes", async () => {
  for (const { manifest_text, snapshot_files, snapshot } of snapshots) {
    const manifest = Manifest.parse(manifest_text);
    assert.equal(manifest.toText(), manifest_text);
    assert.equal(`${manifest.backupType}/${manifest.backupId}`, snapshot.slice(0, snapshot.lastIndexOf("/")));
    assert.equal(new Date(manifest.backupTime * 1000).toISOString().replace(".000", ""), snapshot.split("/")[2]);
    const listed = snapshot_files.filter(({ filename }) => !["index.json.blob", "client.log.blob"].includes(filename));
    assert.deepEqual(manifest.files.map(({ csum: _, ...rest }) => rest), listed);
    assert.equal((await Manifest.decode(await manifest.encode())).toText(), manifest_text);
  }
});

Deno.test("FF-15 signatures of the reference: canonical form, HMAC, fingerprint", () => {
  for (const { snapshot, key, canonical, signature } of signatures) {
    const found = snapshots.find((candidate) => candidate.ns === "" && candidate.snapshot === snapshot);
    const manifest = Manifest.parse(found?.manifest_text ?? "");
    assert.equal(manifest.canonical(), canonical);
    assert.equal(manifest.computeSignature(keyOf(key)), signature);
    assert.equal(manifest.signature, signature);
    assert.equal(manifest.verify(keyOf(key)), true);
    manifest.checkKey(keyOf(key));
    assert.deepEqual(manifest.fingerprint, keyOf(key).fingerprint);
  }
});

Deno.test("FF-15 the signature of the specification, whatever the order and the unprotected part", () => {
  const key = CryptKey.fromRaw(fromHex("28cdb1a3bef39396c3860e00d448fe7a0efd8244486ab6feb30457681d31597e"));
  const manifest = elsa();
  manifest.sign(key);
  const expected = "d7b446fb7db081662081d4b40fedd858a1d6307a5aff4ecff7d5bf4fd35679e9";
  assert.equal(manifest.signature, expected);
  manifest.notes = "line\nline";
  manifest.verifyState = { upid: "UPID:x", state: "ok" };
  manifest.chunkUploadStats = { count: 1, size: 2, compressed_size: 3, duplicates: 0 };
  const json = JSON.parse(manifest.toText());
  const shuffled = Object.fromEntries(Object.entries(json).reverse());
  assert.equal(Manifest.parse(JSON.stringify(shuffled)).verify(key), true);
  assert.equal(Manifest.parse(JSON.stringify(shuffled)).signature, expected);
});

Deno.test("FF-15 every change of a signed member breaks the signature", () => {
  const key = keyOf("key-none.json");
  const manifest = elsa();
  manifest.sign(key);
  const text = manifest.toText();
  const changes: [string, string][] = [["elsa", "else"], ["1593179765", "1593179766"], ["host", "vm"], [
    "encrypt",
    "none",
  ]];
  for (const [from, to] of [...changes, ["200", "201"], ["0101", "0100"], ["abc.blob", "abd.blob"]]) {
    assert.throws(() => Manifest.parse(text.replace(`${from}`, to)).verify(key), /wrong signature/, from);
  }
  const json = JSON.parse(text);
  json.files.reverse();
  assert.throws(() => Manifest.parse(JSON.stringify(json)).verify(key), /wrong signature/);
  assert.throws(() => manifest.verify(keyOf("key-scrypt.json")), /wrong key - unable to verify signature/);
});

Deno.test("the key in use must be the one of the manifest", () => {
  const manifest = elsa();
  manifest.checkKey(undefined);
  manifest.checkKey(keyOf("key-none.json"));
  assert.equal(manifest.verify(keyOf("key-none.json")), false);
  manifest.sign(keyOf("key-scrypt.json"));
  assert.throws(
    () => manifest.checkKey(undefined),
    /^DozoError: missing key - manifest was created with key 3d:a6:99:f5:c1:93:f3:81$/,
  );
  assert.throws(() => manifest.checkKey(keyOf("key-none.json")), /^DozoError: wrong key - manifest's key 3d:a6/);
  manifest.checkKey(undefined, "rsa-encrypted.key");
  assert.throws(() => manifest.checkKey(undefined, "root.pxar"), /missing key/);
});

Deno.test("FF-15 FF-19 old and future manifests: missing members are completed, unknown ones kept", () => {
  const minimal = '{"backup-type":"vm","backup-id":"100","backup-time":1,"files":[{"filename":"a.blob","size":1,' +
    `"csum":"${"AB".repeat(32)}"}]}`;
  const manifest = Manifest.parse(minimal);
  assert.deepEqual(manifest.files, [{ filename: "a.blob", "crypt-mode": "none", size: 1, csum: "ab".repeat(32) }]);
  assert.equal(manifest.signature, null);
  assert.deepEqual(manifest.unprotected, {});
  const future = '{"backup-type":"vm","backup-id":"100","backup-time":1,"files":[],"signature":null,"new":[1],' +
    '"unprotected":{"10":1,"9":{"x":null},"notes":"n"}}';
  const rewritten = Manifest.parse(future);
  rewritten.notes = "m";
  rewritten.chunkUploadStats = { count: 0, size: 0, compressed_size: 0, duplicates: 0 };
  const json = JSON.parse(rewritten.toText());
  assert.deepEqual([json.new, json.unprotected["10"], json.unprotected["9"], json.unprotected.notes], [[1], 1, {
    x: null,
  }, "m"]);
  rewritten.notes = "";
  assert.equal(rewritten.notes, undefined);
  rewritten.verifyState = undefined;
  assert.equal(
    Manifest.parse('{"backup-type":"vm","backup-id":"1","backup-time":1,"files":[],"unprotected":null}').toText()
      .includes("null"),
    false,
  );
});

Deno.test("FF-19 files are found by client and stored name, split archives by any of theirs", () => {
  const manifest = Manifest.create(snapshot);
  for (const name of ["root.ppxar.didx", "root.mpxar.didx", "etc.pxar.didx", "drive.img.fidx", "pct.conf.blob"]) {
    manifest.addFile(file(name));
  }
  assert.equal(manifest.file("etc.pxar").filename, "etc.pxar.didx");
  assert.equal(manifest.file("drive.img.fidx").filename, "drive.img.fidx");
  assert.equal(manifest.find("root.pxar"), undefined);
  assert.equal(manifest.findSplit("root.pxar")?.metadata.filename, "root.mpxar.didx");
  assert.equal(manifest.findSplit("root.pxar")?.payload.filename, "root.ppxar.didx");
  assert.equal(manifest.findSplit("etc.pxar"), undefined);
  assert.throws(() => manifest.file("nope.pxar"), (error) => error instanceof DozoError && error.status === 404);
});

Deno.test("FF-15 what the format does not allow is refused", async () => {
  const good = JSON.parse(elsa().toText());
  const bad: Record<string, unknown>[] = [
    { "backup-type": "tape" },
    { "backup-id": "../x" },
    { "backup-id": 5 },
    { "backup-time": "1" },
    { "backup-time": 1.5 },
    { files: {} },
    { files: [null] },
    { files: [{ ...file("a.blob"), filename: "../../etc/passwd.blob" }] },
    { files: [{ ...file("a.blob"), filename: "a.txt" }] },
    { files: [{ ...file("a.blob"), size: -1 }] },
    { files: [{ ...file("a.blob"), csum: "01" }] },
    { files: [{ ...file("a.blob"), "crypt-mode": "rot13" }] },
    { signature: 5 },
    { unprotected: [] },
  ];
  for (const change of bad) {
    assert.throws(() => Manifest.parse(JSON.stringify({ ...good, ...change })), FormatError, JSON.stringify(change));
  }
  assert.throws(() => elsa().addFile({ ...file("a.blob"), size: 1.5 }), FormatError);
  assert.equal(elsa().files.length, 2);
  const encrypted = await encodeBlob(utf8(elsa().toText()), { key: keyOf("key-none.json") });
  await assert.rejects(Manifest.decode(encrypted), /encrypted/);
});

Deno.test("any manifest survives writing and reading, signed or not", () => {
  const name = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
  const files = fc.array(fc.record({
    filename: fc.tuple(name, fc.constantFrom(".fidx", ".didx", ".blob")).map((parts) => parts.join("x")),
    "crypt-mode": fc.constantFrom("none", "sign-only", "encrypt"),
    size: fc.nat(),
    csum: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => formatFingerprint(bytes).replaceAll(":", "")),
  }, { noNullPrototype: true }));
  fc.assert(fc.property(files, fc.string({ unit: "grapheme" }), fc.boolean(), (files, notes, signed) => {
    const manifest = Manifest.create(snapshot);
    for (const file of files) manifest.addFile(file as ManifestFile);
    const key = keyOf("key-none.json");
    if (signed) manifest.sign(key);
    manifest.notes = notes;
    const again = Manifest.parse(utf8(manifest.toText()));
    assert.deepEqual(again.files, files);
    assert.equal(again.notes ?? "", notes);
    assert.equal(again.verify(key), signed);
    assert.equal(again.toText(), manifest.toText());
  }));
});

Deno.test("mutated manifests never do worse than an error, and never verify when signed parts changed", () => {
  const { key, snapshot, canonical } = signatures[0];
  const text = snapshots.find((candidate) => candidate.snapshot === snapshot)?.manifest_text ?? "";
  for (const bytes of mutations(utf8(text), 1500)) {
    try {
      const manifest = Manifest.parse(bytes);
      manifest.toText();
      if (manifest.verify(keyOf(key))) assert.equal(manifest.canonical(), canonical);
    } catch (error) {
      assert.ok(error instanceof DozoError, String(error));
    }
  }
});
