/** Keys and encrypted backups through the client (rows CL-100 … CL-118), and the archiver that needs no server. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { vectorJson } from "../vectors.ts";
import { Api } from "./api.ts";
import { DOZO, execute, must, type Outcome, Scratch, Server } from "./harness.ts";

const vectors = fileURLToPath(new URL("../vectors/keys/", import.meta.url));

function client(scratch: Scratch, args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return execute(DOZO, ["client", ...args], { env: { HOME: scratch.path, ...env }, cwd: scratch.path });
}

/** Runs a client command on a terminal of its own; each time it asks for a password the next answer is typed. */
async function onTerminal(scratch: Scratch, args: readonly string[], answers: readonly string[]): Promise<Outcome> {
  const command = [DOZO, "client", ...args].map((word) => `'${word}'`).join(" ");
  const child = new Deno.Command("script", {
    args: ["-qefc", command, "/dev/null"],
    cwd: scratch.path,
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", HOME: scratch.path },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), 60_000);
  const typing = child.stdin.getWriter();
  let shown = "";
  let asked = 0;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    shown += text;
    while ((shown.match(/Password: /g) ?? []).length > asked && asked < answers.length) {
      await typing.write(new TextEncoder().encode(`${answers[asked++]}\n`));
    }
  }
  const { code } = await child.status;
  clearTimeout(limit);
  await typing.close().catch(() => {});
  return { code, stdout: shown, stderr: "" };
}

Deno.test("CL-100 CL-101 CL-112 CL-117 a key without password is created once, with mode 0600, and shown", async () => {
  await using scratch = await Scratch.make();
  const created = await client(scratch, ["key", "create", "--kdf", "none"]);
  assert.equal(created.code, 0, created.stderr);
  const path = `${scratch.path}/.config/proxmox-backup/encryption-key.json`;
  assert.equal(((await Deno.stat(path)).mode ?? 0) & 0o777, 0o600);
  assert.match(
    created.stderr,
    /^Key fingerprint: ([0-9a-f]{2}:){7}[0-9a-f]{2}\nKeep a copy of this key in a safe place/,
  );
  const again = await client(scratch, ["key", "create", "--kdf", "none"]);
  assert.equal(again.code, 255);
  assert.match(again.stderr, /^Error: .*already exists/m);
  const shown = JSON.parse((await client(scratch, ["key", "show", "--output-format", "json"])).stdout);
  assert.deepEqual(Object.keys(shown).sort(), ["created", "fingerprint", "kdf", "modified", "path"]);
  assert.equal(shown.path, JSON.stringify(path));
  assert.equal(shown.kdf, "none");
  const hint = await client(scratch, ["key", "create", "other", "--kdf", "none", "--hint", "x"]);
  assert.equal(hint.code, 255);
  const blind = await client(scratch, ["key", "create", "other"]);
  assert.equal(blind.code, 255, "a password needs a terminal");
  await assert.rejects(Deno.stat(`${scratch.path}/other`));
});

Deno.test("CL-112 golden keys are shown as the established tool shows them", async () => {
  await using scratch = await Scratch.make();
  const { keys } = vectorJson<{ keys: { file: string; key_show_json: Record<string, unknown> }[] }>("keys/keys.json");
  for (const { file, key_show_json: wanted } of keys) {
    const { stdout } = await client(scratch, ["key", "show", `${vectors}${file}`, "--output-format", "json"]);
    const { path: _path, ...shown } = JSON.parse(stdout);
    const { path: _wantedPath, ...rest } = wanted;
    assert.deepEqual(shown, rest, file);
  }
});

Deno.test("CL-100 CL-113 passwords are asked on the terminal, twice for a new one, and can be changed", async () => {
  await using scratch = await Scratch.make();
  const short = await onTerminal(scratch, ["key", "create", "k"], ["1234"]);
  assert.notEqual(short.code, 0);
  const different = await onTerminal(scratch, ["key", "create", "k"], ["secret one", "secret two"]);
  assert.notEqual(different.code, 0);
  await assert.rejects(Deno.stat(`${scratch.path}/k`));
  const created = await onTerminal(scratch, ["key", "create", "k", "--hint", "the usual"], [
    "secret one",
    "secret one",
  ]);
  assert.equal(created.code, 0, created.stdout);
  assert.doesNotMatch(created.stdout, /secret one/, "nothing typed is shown");
  const before = JSON.parse(await Deno.readTextFile(`${scratch.path}/k`));
  assert.equal(before.hint, "the usual");
  const changed = await onTerminal(scratch, ["key", "change-passphrase", "k", "--kdf", "pbkdf2"], [
    ...["secret one", "secret new", "secret new"],
  ]);
  assert.equal(changed.code, 0, changed.stdout);
  const after = JSON.parse(await Deno.readTextFile(`${scratch.path}/k`));
  assert.equal(after.created, before.created);
  assert.equal(after.fingerprint, before.fingerprint);
  assert.ok(after.kdf.PBKDF2);
});

Deno.test("CL-105 CL-106 CL-114 a master key is created, imported and shown", async () => {
  await using scratch = await Scratch.make();
  const created = await onTerminal(scratch, ["key", "create-master-key"], ["master secret", "master secret"]);
  assert.equal(created.code, 0, created.stdout);
  await must("openssl", ["rsa", "-in", "master-private.pem", "-passin", "pass:master secret", "-noout", "-check"], {
    cwd: scratch.path,
  });
  const imported = await client(scratch, ["key", "import-master-pubkey", "master-public.pem"]);
  assert.equal(imported.code, 0, imported.stderr);
  const shown = JSON.parse((await client(scratch, ["key", "show-master-pubkey", "--output-format", "json"])).stdout);
  assert.equal(shown.length, 4096);
  await Deno.writeTextFile(`${scratch.path}/bad.pem`, "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n");
  const bad = await client(scratch, ["key", "import-master-pubkey", "bad.pem"]);
  assert.equal(bad.code, 255);
  assert.match(bad.stderr, /^Error: /m);
});

Deno.test("CL-111 a paper key is printed as the established tool prints it", async () => {
  await using scratch = await Scratch.make();
  const text = await client(scratch, ["key", "paperkey", `${vectors}key-none.json`, "--output-format", "text"]);
  assert.equal(text.code, 0, text.stderr);
  assert.match(text.stdout, /-----BEGIN PROXMOX BACKUP KEY-----/);
  const html = await client(scratch, ["key", "paperkey", `${vectors}key-none.json`, "--subject", "My <key>"]);
  assert.match(html.stdout, /<html/i);
  assert.match(html.stdout, /Subject: My &lt;key&gt;/);
});

Deno.test("encrypted and signed backups through the client", async (t) => {
  await using scratch = await Scratch.make();
  await using server = await Server.start(`${scratch.path}/server`, ["--workers", "1"]);
  await (await Api.login(server)).createDatastore("store", await scratch.folder("data/store"));
  const home = await scratch.folder("home");
  const env = { ...server.clientEnv("store"), HOME: home };
  const run = (args: readonly string[], more = {}) =>
    execute(DOZO, ["client", ...args], { env: { ...env, ...more }, cwd: scratch.path });
  const ok = async (args: readonly string[], more = {}) => {
    const outcome = await run(args, more);
    assert.equal(outcome.code, 0, `${args.join(" ")}\n${outcome.stderr}`);
    return outcome;
  };
  const tree = await scratch.folder("tree");
  await Deno.writeTextFile(`${tree}/file`, "content that is secret\n".repeat(1000));
  await Deno.writeTextFile(`${scratch.path}/a.conf`, "secret setting\n");
  const specs = [`root.pxar:${tree}`, `a.conf:${scratch.path}/a.conf`];
  const key = `${vectors}key-scrypt.json`;
  const { keys } = vectorJson<{ keys: { file: string; password: string }[] }>("keys/keys.json");
  const password = keys.find(({ file }) => file === "key-scrypt.json")?.password as string;

  await t.step("CL-23 CL-102 CL-104 CL-107 with a key file and a master key", async () => {
    const args = [
      "backup",
      ...specs,
      "--backup-id",
      "enc",
      "--keyfile",
      key,
      "--master-pubkey-file",
      `${vectors}master-public.pem`,
    ];
    const blind = await run(args);
    assert.equal(blind.code, 255, "the passphrase cannot be asked for");
    const { stderr } = await ok(args, { PBS_ENCRYPTION_PASSWORD: password });
    assert.match(stderr, /^Using encryption key from '.*key-scrypt\.json'\.\.$/m);
    assert.match(stderr, /^Encryption key fingerprint: 3d:a6:99:f5:c1:93:f3:81$/m);
    assert.match(stderr, /^Using master key from '.*master-public\.pem'\.\.$/m);
    assert.match(stderr, /^Upload RSA encoded key to '.*' as rsa-encrypted\.key\.blob$/m);
    const rows = JSON.parse((await ok(["snapshot", "list", "--output-format", "json"])).stdout);
    const modes = Object.fromEntries(
      rows[0].files.map((file: Record<string, string>) => [file.filename, file["crypt-mode"]]),
    );
    assert.equal(modes["root.pxar.didx"], "encrypt");
    assert.equal(modes["rsa-encrypted.key.blob"], "encrypt");
    const missing = await run(["restore", "host/enc", "a.conf", "-"]);
    assert.equal(missing.code, 255);
    assert.match(missing.stderr, /^Error: missing key - /m);
    const restored = await ok(["restore", "host/enc", "a.conf", "-", "--keyfile", key], {
      PBS_ENCRYPTION_PASSWORD: password,
    });
    assert.equal(restored.stdout, "secret setting\n");
  });

  await t.step("nothing readable lies in the store", async () => {
    const { code } = await execute("grep", [
      "-rq",
      "secret",
      `${scratch.path}/data/store/host`,
      `${scratch.path}/data/store/.chunks`,
    ]);
    assert.equal(code, 1);
  });

  await t.step("IN-04 CL-82 the same key finds the chunks again, another key sends everything", async () => {
    const args = ["backup", specs[0], "--backup-id", "enc2", "--change-detection-mode", "metadata"];
    const secret = { PBS_ENCRYPTION_PASSWORD: password };
    await ok([...args, "--keyfile", key, "--backup-time", "1752537600"], secret);
    const same = await ok([...args, "--keyfile", key, "--backup-time", "1752537700"], secret);
    assert.match(same.stderr, /^Using previous index as metadata reference/m);
    const other = await ok([...args, "--keyfile", `${vectors}key-none.json`, "--backup-time", "1752537800"]);
    assert.match(other.stderr, /^Couldn't re-use previous manifest - wrong key/m);
    assert.doesNotMatch(other.stderr, /reused|reusable/);
    const plain = await ok([...args, "--backup-time", "1752537900"]);
    assert.match(plain.stderr, /^Couldn't re-use previous manifest - missing key/m);
    for (const [i, more] of [["--keyfile", `${vectors}key-none.json`], []].entries()) {
      const time = ["2025-07-15T00:03:20Z", "2025-07-15T00:05:00Z"][i];
      await ok(["restore", `host/enc2/${time}`, "root.pxar", `${scratch.path}/out-${i}`, ...more]);
      await must("diff", ["-r", tree, `${scratch.path}/out-${i}`]);
    }
  });

  await t.step("CL-116 sign-only keeps the data readable and the list signed", async () => {
    const plainKey = ["--keyfile", `${vectors}key-none.json`];
    await ok(["backup", ...specs, "--backup-id", "signed", "--crypt-mode", "sign-only", ...plainKey]);
    const manifest = JSON.parse((await ok(["restore", "host/signed", "index.json", "-", ...plainKey])).stdout);
    assert.match(manifest.signature, /^[0-9a-f]{64}$/);
    assert.equal(manifest.files[0]["crypt-mode"], "sign-only");
    assert.equal((await ok(["restore", "host/signed", "a.conf", "-", ...plainKey])).stdout, "secret setting\n");
    assert.equal((await run(["restore", "host/signed", "a.conf", "-"])).code, 255);
  });

  await t.step(
    "CL-103 CL-108 CL-115 the default key is used, and combinations that make no sense are refused",
    async () => {
      const nothing = await run(["backup", specs[1], "--crypt-mode", "encrypt"]);
      assert.match(nothing.stderr, /^Error: --crypt-mode without --keyfile and no default key file available$/m);
      const master = await run(["backup", specs[1], "--master-pubkey-file", `${vectors}master-public.pem`]);
      assert.equal(master.code, 255);
      await ok(["key", "create", "--kdf", "none"]);
      const { stderr } = await ok(["backup", ...specs, "--backup-id", "default"]);
      assert.match(stderr, /^Using default encryption key from '.*encryption-key\.json'\.\.$/m);
      await ok(["backup", ...specs, "--backup-id", "plain", "--crypt-mode", "none"]);
      const both = await run(["backup", specs[1], "--crypt-mode", "none", "--keyfile", key]);
      assert.match(both.stderr, /^Error: .*mutually exclusive$/m);
      const two = await run(["backup", specs[1], "--keyfile", key, "--keyfd", "0"]);
      assert.match(two.stderr, /^Error: --keyfile and --keyfd are mutually exclusive$/m);
      await ok([
        "upload-log",
        JSON.parse((await ok(["snapshot", "list", "host/default", "--output-format", "json"])).stdout)
          .map((row: Record<string, number>) =>
            `host/default/${new Date(row["backup-time"] * 1000).toISOString().slice(0, 19)}Z`
          )[0],
        `${scratch.path}/a.conf`,
      ]);
      assert.equal((await ok(["restore", "host/default", "client.log", "-"])).stdout, "secret setting\n");
    },
  );

  await t.step("CL-186 the benchmark leaves nothing behind", async () => {
    const { stdout } = await ok(["benchmark", "--output-format", "json"]);
    const speeds = JSON.parse(stdout);
    for (const name of ["tls", "sha256", "compress", "decompress", "verify", "aes256_gcm"]) {
      assert.ok(speeds[name].speed > 0 && speeds[name].top > 0, name);
    }
    assert.deepEqual(
      JSON.parse((await ok(["snapshot", "list", "host/benchmark", "--output-format", "json"])).stdout),
      [],
    );
  });
});
