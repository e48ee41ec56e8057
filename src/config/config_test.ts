import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { AclTree } from "./acl.ts";
import { loadCertificate } from "./certificate.ts";
import type { ConfigFile } from "./config_file.ts";
import { createDirectories, stateDirectories } from "./directories.ts";
import { ServerConfig } from "./server_config.ts";
import { loadSigningKeys } from "./signing_keys.ts";
import { TOKEN, USER } from "./users.ts";
import { DATASTORE, type DatastoreConfig, maintenanceOf, syncLevelOf } from "./datastores.ts";

const VECTORS = new URL("../../test/vectors/config/", import.meta.url);

/** The vectors know one role that does not exist. */
const isRole = (name: string) => name !== "Foo";

async function withConfig(work: (config: ServerConfig, etc: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "dozo-config-" });
  try {
    const directories = stateDirectories(root);
    await createDirectories(directories);
    await work(new ServerConfig(directories, isRole), directories.etc);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function copyVector(name: string, etc: string): Promise<string> {
  const text = await Deno.readTextFile(new URL(`etc/${name}`, VECTORS));
  await Deno.writeTextFile(join(etc, name), text);
  return text;
}

/** Writes a file with the content that it has. */
function rewrite<T>(file: ConfigFile<T>): Promise<void> {
  return file.update((value) => value);
}

Deno.test("files of PBS are read and written back byte for byte", () =>
  withConfig(async (config, etc) => {
    const files = [
      ["user.cfg", config.users as ConfigFile<unknown>],
      ["datastore.cfg", config.datastores as ConfigFile<unknown>],
      ["acl.cfg", config.acl as ConfigFile<unknown>],
      ["shadow.json", config.passwords as ConfigFile<unknown>],
      ["token.shadow", config.tokenSecrets as ConfigFile<unknown>],
    ] as const;
    const expected = JSON.parse(await Deno.readTextFile(new URL("expected.json", VECTORS)));
    for (const [name, file] of files) {
      const text = await copyVector(name, etc);
      const digest = createHash("sha256").update(text).digest("hex");
      assert.equal(file.read().digest, expected.files[name]?.sha256 ?? digest, `digest of ${name}`);
      await rewrite(file);
      assert.equal(await Deno.readTextFile(join(etc, name)), text, name);
    }
  }));

Deno.test("what PBS answers for its files is what the files say", () =>
  withConfig(async (config, etc) => {
    await copyVector("user.cfg", etc);
    await copyVector("datastore.cfg", etc);
    const expected = JSON.parse(await Deno.readTextFile(new URL("expected.json", VECTORS)));
    const answer = (file: string, get: string) =>
      expected.files[file].api.find((one: { get: string }) => one.get === `/api2/json/${get}`)?.body.data;
    const sorted = (rows: readonly unknown[], key: string) =>
      rows.map((row) => JSON.parse(JSON.stringify(row))).sort((a, b) => a[key] < b[key] ? -1 : 1);
    const users = answer("user.cfg", "access/users");
    if (users) assert.deepEqual(sorted(USER.list(config.users.read().value), "userid"), sorted(users, "userid"));
    const stores = answer("datastore.cfg", "config/datastore");
    if (stores) {
      assert.deepEqual(sorted(DATASTORE.list(config.datastores.read().value), "name"), sorted(stores, "name"));
    }
    assert.ok(users || stores);
    assert.equal(TOKEN.list(config.users.read().value).length, 4);
    const store = DATASTORE.list(config.datastores.read().value) as DatastoreConfig[];
    assert.deepEqual(maintenanceOf(store[2]), { type: "read-only", message: "moving, to new disk" });
    assert.equal(syncLevelOf(store[1]), "file");
  }));

Deno.test("a change under a stale digest is refused with the known text, and a fresh one is seen at once", () =>
  withConfig(async (config) => {
    const empty = config.users.read().digest;
    assert.equal(empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    await config.users.update(
      (sections) => sections.with(USER.create("a@pbs", { comment: "x", enable: false })),
      empty,
    );
    assert.equal(USER.list(config.users.read().value)[0].comment, "x");
    await assert.rejects(config.users.update((sections) => sections, empty), {
      message: "detected modified configuration - file changed by other user? Try again.",
      status: 400,
    });
  }));

Deno.test("concurrent changes of one file are all kept, and unknown keys survive them", () =>
  withConfig(async (config, etc) => {
    await Deno.writeTextFile(join(etc, "user.cfg"), "user: old@pbs\n\tfuture-key some value\n");
    await Promise.all(
      Array.from(
        { length: 20 },
        (_, i) => config.users.update((sections) => sections.with(USER.create(`u${i}@pbs`, {}))),
      ),
    );
    await config.users.update((sections) => {
      const section = sections.get("user", "old@pbs");
      assert.ok(section);
      return sections.with(USER.change(section, { comment: "kept" }, []));
    });
    const text = await Deno.readTextFile(join(etc, "user.cfg"));
    assert.equal(USER.list(config.users.read().value).length, 21);
    assert.ok(text.startsWith("user: old@pbs\n\tcomment kept\n\tfuture-key some value\n"));
    const left = [...Deno.readDirSync(etc)].map(({ name }) => name).filter((name) => name.startsWith(".tmp"));
    assert.deepEqual(left, []);
  }));

Deno.test("acl.cfg is read as leniently and as strictly as PBS reads it", async () => {
  const rows = (await Deno.readTextFile(new URL("parse.jsonl", VECTORS))).trim().split("\n").map((line) =>
    JSON.parse(line)
  );
  let seen = 0;
  for (const { experiment, file, content, status, answer } of rows) {
    if (file !== "acl.cfg" || content === null || content === undefined) continue;
    seen++;
    const parse = () => AclTree.parse(content, "/etc/proxmox-backup/acl.cfg", isRole).entries();
    if (status !== 200) {
      assert.throws(parse, { message: answer }, experiment);
      continue;
    }
    const key = (entry: Record<string, unknown>) => JSON.stringify(Object.entries(entry).sort());
    assert.deepEqual(parse().map((one) => key({ ...one })).sort(), answer.data.map(key).sort(), experiment);
  }
  assert.ok(seen >= 10);
});

Deno.test("any set of grants survives writing and reading", () => {
  const path = fc.constantFrom("/", "/datastore", "/datastore/a", "/datastore/a/b", "/system/tasks");
  const id = fc.constantFrom("a@pbs", "b@pbs", "a@pbs!t");
  const role = fc.constantFrom("Admin", "Audit", "NoAccess", "DatastoreBackup");
  fc.assert(fc.property(fc.array(fc.tuple(path, id, role, fc.boolean())), (grants) => {
    const tree = new AclTree();
    for (const [where, who, what, propagate] of grants) tree.grant(where, "user", who, what, propagate);
    const text = tree.format("root@pam");
    const again = AclTree.parse(text, "acl.cfg", isRole);
    assert.equal(again.format("root@pam"), text);
    const key = (one: AclTree) => one.entries().map((entry) => JSON.stringify(entry)).sort();
    assert.deepEqual(key(again), key(tree));
  }));
});

Deno.test("keys and certificate are made once, also when several processes start together", () =>
  withConfig(async (_, etc) => {
    const [a, b] = await Promise.all([loadCertificate(etc), loadCertificate(etc)]);
    assert.equal(a.fingerprint, b.fingerprint);
    const leaf = new X509Certificate(a.chain);
    assert.ok(leaf.checkHost("localhost") && leaf.checkIP("127.0.0.1"));
    assert.ok(leaf.verify(leaf.publicKey));
    const [k, l] = await Promise.all([loadSigningKeys(etc), loadSigningKeys(etc)]);
    assert.deepEqual(k.csrfKey, l.csrfKey);
    assert.equal(k.csrfKey.length, 64);
    assert.equal((await Deno.stat(join(etc, "authkey.key"))).mode! & 0o777, 0o600);
  }));

Deno.test("a file that cannot be parsed is an error with its name, not an empty configuration", () =>
  withConfig(async (config, etc) => {
    await Deno.writeTextFile(join(etc, "user.cfg"), "user: a@pbs\n\tcomment x\n# no comments here\n");
    assert.throws(() => config.users.read(), /user\.cfg/);
    await Deno.writeTextFile(join(etc, "shadow.json"), "[]");
    assert.throws(() => config.passwords.read(), /shadow\.json/);
  }));
