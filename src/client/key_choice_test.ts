import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chooseKey, openKey } from "./key_choice.ts";
import { inPrivateHome } from "./testing.ts";

const KEY = new URL("../../test/vectors/keys/key-none.json", import.meta.url).pathname;
const PROTECTED = new URL("../../test/vectors/keys/key-scrypt.json", import.meta.url).pathname;
const MASTER = new URL("../../test/vectors/keys/master-public.pem", import.meta.url).pathname;

function withConfig(files: Record<string, string>, work: () => void): Promise<void> {
  return inPrivateHome((home) => {
    Deno.mkdirSync(`${home}/proxmox-backup`);
    for (const [name, source] of Object.entries(files)) Deno.copyFileSync(source, `${home}/proxmox-backup/${name}`);
    work();
  });
}

Deno.test("CL-115 the key selection matrix without a default key", () =>
  withConfig({}, () => {
    assert.equal(chooseKey({}).mode, "none");
    assert.equal(chooseKey({ keyfile: KEY }).mode, "encrypt");
    assert.equal(chooseKey({ keyfile: KEY, cryptMode: "sign-only" }).mode, "sign-only");
    assert.equal(chooseKey({ cryptMode: "none" }).key, undefined);
    assert.throws(() => chooseKey({ keyfile: KEY, keyfd: 0 }), /mutually exclusive/);
    assert.throws(() => chooseKey({ keyfile: KEY, cryptMode: "none" }), /mutually exclusive/);
    assert.throws(() => chooseKey({ masterPubkeyFile: MASTER, cryptMode: "none" }), /mutually exclusive/);
    assert.throws(() => chooseKey({ cryptMode: "encrypt" }), /no default key file/);
    assert.throws(() => chooseKey({ cryptMode: "sign-only" }), /no default key file/);
    assert.throws(() => chooseKey({ masterPubkeyFile: MASTER }), /no key available/);
    assert.throws(() => chooseKey({ keyfile: "/nonexistent" }), /\/nonexistent/);
  }));

Deno.test("CL-103 CL-106 default key and default master key are used when present", async () => {
  await withConfig({ "encryption-key.json": KEY, "master-public.pem": MASTER }, () => {
    const choice = chooseKey({});
    assert.equal(choice.mode, "encrypt");
    assert.deepEqual(choice.key?.text, readFileSync(KEY));
    assert.equal(choice.masterKey, readFileSync(MASTER, "utf8"));
    assert.equal(chooseKey({ cryptMode: "none" }).key, undefined);
  });
  await withConfig({ "master-public.pem": MASTER }, () => assert.equal(chooseKey({}).mode, "none"));
});

Deno.test("an unreadable key names its file, a protected one asks for the passphrase", async () => {
  await assert.rejects(openKey({ name: "k.json", text: new TextEncoder().encode("{") }, () => "x"), /k\.json/);
  const source = { name: PROTECTED, text: readFileSync(PROTECTED) };
  await assert.rejects(openKey(source, () => "wrong password"), /password hint: the usual one/);
});
