/** Wrong names, wrong secrets and sources that cannot be read or change meanwhile: one clear line, exit code 255. */
import assert from "node:assert/strict";
import { DOZO, execute, must, type Outcome, PASSWORD, USER } from "./harness.ts";
import { assertRefused, IS_ROOT, noise, sleep, Testbed, until } from "./testbed.ts";

const MIB = 2 ** 20;
const NOBODY = 65534;

Deno.test("wrong names and wrong secrets end with one line that says what is wrong", async (t) => {
  await using bed = await Testbed.start();
  const tree = await bed.scratch.folder("tree");
  await Deno.writeTextFile(`${tree}/file`, "text");
  const backup = ["backup", `tree.pxar:${tree}`, "--backup-id", "a"];
  const { port, fingerprint } = bed.server;
  const other = `${fingerprint.slice(0, -2)}${fingerprint.endsWith("00") ? "01" : "00"}`;
  const at = (place: string) => ({ PBS_REPOSITORY: `${USER}@${place}` });

  const cases: Record<string, { env?: Record<string, string>; args?: string[]; pattern: RegExp }> = {
    "an unknown host": { env: at("no-such-host.invalid:store"), pattern: /no-such-host\.invalid/ },
    "a port that nobody listens on": { env: at("127.0.0.1:1:store"), pattern: /127\.0\.0\.1.*port 1\b|refused/ },
    "another certificate than the one that is trusted": { env: { PBS_FINGERPRINT: other }, pattern: /fingerprint/i },
    "CL-172 no fingerprint and nobody to ask": { env: { PBS_FINGERPRINT: "" }, pattern: /fingerprint|certificate/i },
    "a fingerprint that is none": { env: { PBS_FINGERPRINT: "abc" }, pattern: /fingerprint/i },
    "a wrong password": { env: { PBS_PASSWORD: "wrong" }, pattern: /authentication failure|permission/i },
    "a wrong user": {
      env: { PBS_REPOSITORY: `nobody@pbs@127.0.0.1:${port}:store` },
      pattern: /authentication failure|permission/i,
    },
    "a wrong token": {
      env: { PBS_REPOSITORY: `${USER}!t@127.0.0.1:${port}:store` },
      pattern: /authentication|invalid credentials|permission/i,
    },
    "a missing datastore": { env: at(`127.0.0.1:${port}:missing`), pattern: /datastore 'missing'/ },
    "no repository": { env: { PBS_REPOSITORY: "" }, pattern: /repository/i },
    "a repository that is none": { env: { PBS_REPOSITORY: "a b:c:d:e" }, pattern: /repository/i },
    "a missing namespace": { args: [...backup, "--ns", "no/such"], pattern: /namespace/ },
    "a source that does not exist": {
      args: ["backup", "tree.pxar:/no/such", "--backup-id", "a"],
      pattern: /\/no\/such/,
    },
    "a folder as an image": { args: ["backup", `disk.img:${tree}`, "--backup-id", "a"], pattern: /tree/ },
    "a file as a folder": { args: ["backup", `tree.pxar:${tree}/file`, "--backup-id", "a"], pattern: /file/ },
    "the same archive name twice": {
      args: ["backup", `tree.pxar:${tree}`, `tree.pxar:${tree}`, "--backup-id", "a"],
      pattern: /tree\.pxar/,
    },
    "restoring a missing snapshot": {
      args: ["restore", "host/no/2023-01-01T00:00:00Z", "x.pxar", "/dev/null"],
      pattern: /./,
    },
    "restoring from a missing group": {
      args: ["restore", "host/no", "x.pxar", "/dev/null"],
      pattern: /host\/no|group/,
    },
    "forgetting a missing snapshot": { args: ["snapshot", "forget", "host/no/2023-01-01T00:00:00Z"], pattern: /./ },
  };
  for (const [name, { env, args, pattern }] of Object.entries(cases)) {
    await t.step(name, async () => {
      assertRefused(await bed.client(args ?? backup, { env, seconds: 30 }), pattern);
    });
  }

  await t.step("TM-03 a configuration file above 16 MiB", async () => {
    await Deno.writeFile(`${tree}/large.conf`, noise(17 * MIB));
    assertRefused(await bed.client(["backup", `large.conf:${tree}/large.conf`, "--backup-id", "a"]), /large|size|MiB/);
  });

  await t.step("nothing of all this is in the store", async () => {
    assert.deepEqual(await bed.snapshots(), []);
    assert.deepEqual(await bed.leftovers(), []);
  });
});

Deno.test("sources that cannot be read or change meanwhile: said in a line each, the rest is saved", async (t) => {
  await using bed = await Testbed.start();
  const restored = async (id: string): Promise<string> => {
    const target = `${bed.scratch.path}/restored-${id}`;
    await bed.must(["restore", `host/${id}`, "tree.pxar", target]);
    return target;
  };

  await t.step({
    name: "a file and a folder that the user may not read",
    ignore: !IS_ROOT, // root may read everything, so that another user has to try
    fn: async () => {
      const tree = await bed.scratch.folder("unreadable");
      await Deno.chmod(bed.scratch.path, 0o755);
      await Deno.writeTextFile(`${tree}/good`, "good");
      await Deno.writeTextFile(`${tree}/secret`, "secret", { mode: 0o600 });
      await Deno.mkdir(`${tree}/closed`, { mode: 0o700 });
      const outcome = await asNobody(bed, ["backup", `tree.pxar:${tree}`, "--backup-id", "unreadable"]);
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.match(outcome.stderr, /"\/secret": access denied/);
      assert.match(outcome.stderr, /"\/closed": access denied/);
      const target = await restored("unreadable");
      assert.equal(await Deno.readTextFile(`${target}/good`), "good");
    },
  });

  for (const mode of ["legacy", "metadata"]) {
    await t.step(`files that shrink, grow or vanish while they are read, ${mode}`, async () => {
      const tree = await bed.scratch.folder(`changing-${mode}`);
      await Deno.writeFile(`${tree}/a-first`, noise(4 * MIB, 1));
      await Deno.writeFile(`${tree}/b-shrinks`, noise(3 * MIB, 2));
      await Deno.writeFile(`${tree}/c-grows`, noise(MIB, 3));
      await Deno.writeFile(`${tree}/d-vanishes`, noise(MIB, 4));
      await Deno.writeFile(`${tree}/e-last`, noise(MIB, 5));
      const id = `changing-${mode}`;
      const args = ["backup", `tree.pxar:${tree}`, "--backup-id", id, "--change-detection-mode", mode];
      let stop = false;
      const change = (async () => {
        for (let turn = 0; !stop; turn++) {
          await Deno.truncate(`${tree}/b-shrinks`, turn % 2 === 0 ? MIB : 3 * MIB);
          await Deno.writeFile(`${tree}/c-grows`, noise(100_000, turn), { append: true });
          if (turn % 2 === 0) await Deno.remove(`${tree}/d-vanishes`);
          else await Deno.writeFile(`${tree}/d-vanishes`, noise(MIB, 4));
          await sleep(5);
        }
      })();
      const outcome = await bed.client([...args, "--rate", "20MB"]);
      stop = true;
      await change;
      assert.equal(outcome.code, 0, outcome.stderr);
      assert.doesNotMatch(outcome.stderr, /^\s+at .*:\d+/m);
      const target = await restored(id);
      assert.equal(Buffer.compare(await Deno.readFile(`${target}/a-first`), noise(4 * MIB, 1)), 0);
      assert.equal(Buffer.compare(await Deno.readFile(`${target}/e-last`), noise(MIB, 5)), 0);
    });
  }

  await t.step("more entries than allowed, and a folder of 100,000 files", async () => {
    const tree = await bed.scratch.folder("many");
    await Deno.mkdir(`${bed.scratch.memory}/many`);
    const many = `${bed.scratch.memory}/many`;
    await must("bash", ["-c", `cd "$1" && seq -f 'file-%06g' 1 100000 | xargs touch -d @1000000000`, "bash", many]);
    await Deno.writeTextFile(`${tree}/one`, "");
    await Deno.writeTextFile(`${tree}/two`, "");
    const limited = await bed.client(["backup", `tree.pxar:${many}`, "--backup-id", "many", "--entries-max", "1000"]);
    assertRefused(limited, /entries|--entries-max/);
    await bed.must(["backup", `tree.pxar:${many}`, "--backup-id", "many"]);
    const dump = await bed.must(["catalog", "dump", "host/many"]);
    assert.equal(dump.split("\n").filter((line) => line.includes("/file-")).length, 100_000);
    const one = `${bed.scratch.path}/one-of-many`;
    await bed.must(["restore", "host/many", "tree.pxar", one, "--pattern", "/file-077777"]);
    assert.deepEqual([...Deno.readDirSync(one)].map(({ name }) => name), ["file-077777"]);
  });

  await t.step("the client is interrupted: one line, and nothing of it is left", async () => {
    const tree = await bed.scratch.folder("interrupted");
    await Deno.writeFile(`${tree}/data`, noise(8 * MIB, 9));
    const child = bed.background(["backup", `tree.pxar:${tree}`, "--backup-id", "interrupted", "--rate", "1MB"]);
    const group = `${bed.store}/host/interrupted`;
    await until("the backup begins", () => Deno.lstat(group).then(() => true, () => false), 20);
    child.kill("SIGINT");
    assert.notEqual((await child.status).code, 0);
    await until("the group is gone", () => Deno.lstat(group).then(() => false, () => true), 10);
  });
});

/** Runs the client as a user without rights. */
function asNobody(bed: Testbed, args: readonly string[]): Promise<Outcome> {
  const user = ["--reuid", String(NOBODY), "--regid", String(NOBODY), "--clear-groups", "--inh-caps=-all"];
  return execute("setpriv", [...user, DOZO, "client", ...args], {
    env: { ...bed.env, HOME: "/", PBS_PASSWORD: PASSWORD },
  });
}
