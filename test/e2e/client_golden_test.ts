/**
 * The datastore that a real PBS wrote, served by `dozo server` and read by `dozo client`: lists, manifests, catalogs and
 * streams are those that its own client gave.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { vectorJson } from "../vectors.ts";
import { Api } from "./api.ts";
import { DOZO, execute, must, type Outcome, Scratch, Server } from "./harness.ts";

interface ExpectedArchive {
  readonly restored_by_client_sha256?: string | null;
  readonly plain_sha256?: string;
}
interface ExpectedSnapshot {
  readonly ns: string;
  readonly snapshot: string;
  readonly key: string | null;
  readonly snapshot_list: Record<string, unknown>;
  readonly snapshot_files: unknown[];
  readonly manifest_text: string;
  readonly archives: Record<string, ExpectedArchive>;
  readonly catalog_dump: { exit: number; lines: number; text: string | null };
}
const expected = vectorJson<
  {
    snapshots: ExpectedSnapshot[];
    groups: Record<string, { "backup-id": string }[]>;
  }
>("datastore/expected.json");
const keys = vectorJson<{ keys: { file: string; password: string | null }[] }>("keys/keys.json");
const vectors = fileURLToPath(new URL("../vectors/", import.meta.url));

/** Puts the golden store into `folder` with all the chunk directories that it was packed without. */
async function unpack(folder: string): Promise<string> {
  await must("tar", ["--zstd", "--no-same-owner", "-xf", `${vectors}datastore/golden.tar.zst`, "-C", folder]);
  const chunks = `${folder}/golden/.chunks`;
  for (let i = 0; i < 0x10000; i++) {
    Deno.mkdirSync(`${chunks}/${i.toString(16).padStart(4, "0")}`, { recursive: true, mode: 0o750 });
  }
  return `${folder}/golden`;
}

function sha256(data: Uint8Array): string {
  return createHash("sha256").update(data).digest("hex");
}

Deno.test("a store of a real PBS is listed and restored, with its keys, to the last bit", async (t) => {
  await using scratch = await Scratch.make();
  const store = await unpack(await scratch.folder("unpacked"));
  await using server = await Server.start(`${scratch.path}/server`, ["--workers", "1"]);
  const api = await Api.login(server);
  const upid = await api.call<string>("POST", "/config/datastore", {
    name: "golden",
    path: store,
    "reuse-datastore": true,
  });
  if (typeof upid === "string") await api.finished(upid);
  const env = server.clientEnv("golden");

  const client = (
    args: string[],
    { ns, key }: { ns?: string; key?: string | null } = {},
    more = {},
  ): Promise<Outcome> =>
    execute(DOZO, [
      "client",
      ...args,
      ...(ns ? ["--ns", ns] : []),
      ...(key ? ["--keyfile", `${vectors}keys/${key}`] : []),
    ], {
      env: { ...env, ...passwordOf(key), ...more },
      cwd: scratch.path,
    });
  const json = async (args: string[], options = {}) => {
    const { code, stdout, stderr } = await client([...args, "--output-format", "json"], options);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const byName = (a: { filename?: string }, b: { filename?: string }) =>
    (a.filename ?? "") < (b.filename ?? "") ? -1 : 1;

  for (const ns of ["", "a/b"]) {
    await t.step(`CL-33 CL-130 snapshots and groups of namespace '${ns}'`, async () => {
      const listed = await json(["snapshot", "list"], { ns }) as Record<string, unknown>[];
      const wanted = expected.snapshots.filter((one) => one.ns === ns).map((one) => one.snapshot_list);
      const sorted = (list: Record<string, unknown>[]) =>
        list.map((one) => ({ ...one, files: [...one.files as { filename: string }[]].sort(byName) }))
          .sort((a, b) => JSON.stringify(nameOf(a)) < JSON.stringify(nameOf(b)) ? -1 : 1);
      assert.deepEqual(sorted(listed), sorted(wanted));
      const groups = await json(["list"], { ns }) as { "backup-id": string }[];
      assert.deepEqual(
        groups.map((one) => one["backup-id"]).sort(),
        expected.groups[ns].map((one) => one["backup-id"]).sort(),
      );
    });
  }

  for (const snapshot of expected.snapshots) {
    const { ns, key } = snapshot;
    if (snapshot.snapshot.startsWith("host/broken/")) continue;
    await t.step(`CL-131 CL-133 CL-134 CL-137 ${ns ? `[${ns}] ` : ""}${snapshot.snapshot}`, async () => {
      const files = await json(["snapshot", "files", snapshot.snapshot], { ns });
      assert.deepEqual(files.sort(byName), [...snapshot.snapshot_files as { filename: string }[]].sort(byName));
      const manifest = await client(["restore", snapshot.snapshot, "index.json", "-"], { ns, key });
      assert.equal(manifest.code, 0, manifest.stderr);
      assert.deepEqual(JSON.parse(manifest.stdout), JSON.parse(snapshot.manifest_text));

      const dump = await client(["catalog", "dump", snapshot.snapshot], { ns, key });
      assert.equal(dump.code, snapshot.catalog_dump.exit, dump.stderr);
      if (snapshot.catalog_dump.text !== null) assert.equal(dump.stdout, withNewline(snapshot.catalog_dump.text));
      else if (dump.code === 0) assert.equal(dump.stdout.split("\n").length - 1, snapshot.catalog_dump.lines);

      for (const [name, archive] of Object.entries(snapshot.archives)) {
        const wanted = archive.restored_by_client_sha256 ?? archive.plain_sha256;
        if (!wanted) continue;
        const args = ["restore", snapshot.snapshot, name.replace(/\.(didx|fidx|blob)$/, ""), "-"];
        const where = [...(ns ? ["--ns", ns] : []), ...(key ? ["--keyfile", `${vectors}keys/${key}`] : [])];
        const line = `set -o pipefail; "$0" client "$@" | sha256sum`;
        const sum = await must("bash", ["-c", line, DOZO, ...args, ...where], { env: { ...env, ...passwordOf(key) } });
        assert.equal(sum.slice(0, 64), wanted, `${snapshot.snapshot} ${name}`);
      }
    });
  }

  await t.step("CL-137 a damaged chunk ends the restore with an error", async () => {
    const broken = expected.snapshots.find(({ snapshot }) => snapshot.startsWith("host/broken/")) as ExpectedSnapshot;
    const { code, stderr } = await client(["restore", broken.snapshot, "tree.pxar", `${scratch.path}/broken`]);
    assert.equal(code, 255);
    assert.match(stderr, /^Error: .+\n$/m);
  });

  await t.step("CL-116 the key of another backup is refused, and none as well", async () => {
    const signed = expected.snapshots.find(({ snapshot }) => snapshot.startsWith("host/signed/")) as ExpectedSnapshot;
    const wrong = await client(["restore", signed.snapshot, "tree.pxar", "-"], { key: "key-none.json" });
    assert.equal(wrong.code, 255);
    assert.match(
      wrong.stderr,
      /Error: wrong key - .*3d:a6:99:f5:c1:93:f3:81.* does not match provided key 33:0a:a8:5c:7c:5c:90:34/,
    );
    const missing = await client(["restore", signed.snapshot, "tree.pxar", "-"]);
    assert.equal(missing.code, 255);
    assert.match(missing.stderr, /Error: missing key - manifest was created with key 3d:a6:99:f5:c1:93:f3:81/);
  });

  await t.step("CL-101 a wrong passphrase is refused", async () => {
    const { code, stderr } = await client(["restore", "host/encpw", "note.conf", "-"], { key: "key-scrypt.json" }, {
      PBS_ENCRYPTION_PASSWORD: "wrong password",
    });
    assert.equal(code, 255);
    assert.match(stderr, /^Error: /m);
  });

  await t.step("CL-109 CL-110 the wrapped key is restored without a key and opens the backup", async () => {
    const wrapped = `${scratch.path}/wrapped.key`;
    const restored = await client(["restore", "host/encpw", "rsa-encrypted.key", wrapped]);
    assert.equal(restored.code, 0, restored.stderr);
    const key = `${scratch.path}/unwrapped.json`;
    const imported = await client(
      [
        ...["key", "import-with-master-key", key, "--kdf", "none"],
        ...["--master-keyfile", `${vectors}keys/master-private.pem`, "--encrypted-keyfile", wrapped],
      ],
      {},
      { PBS_ENCRYPTION_PASSWORD: "master-secret" },
    );
    assert.equal(imported.code, 0, imported.stderr);
    const note = await client(["restore", "host/encpw", "note.conf", "-", "--keyfile", key]);
    assert.equal(note.code, 0, note.stderr);
    const wanted = expected.snapshots.find(({ snapshot }) => snapshot.startsWith("host/encpw/"))
      ?.archives["note.conf.blob"];
    assert.equal(sha256(new TextEncoder().encode(note.stdout)), wanted?.plain_sha256);
  });
});

function passwordOf(key: string | null | undefined): Record<string, string> {
  const password = keys.keys.find(({ file }) => file === key)?.password;
  return password ? { PBS_ENCRYPTION_PASSWORD: password } : {};
}

function nameOf(snapshot: Record<string, unknown>): unknown[] {
  return [snapshot["backup-type"], snapshot["backup-id"], snapshot["backup-time"]];
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}
