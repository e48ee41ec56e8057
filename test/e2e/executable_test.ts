import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Api } from "./api.ts";
import { DOZO, execute, makeOddTree, must, Scratch, Server } from "./harness.ts";

const IS_ROOT = Deno.uid() === 0;
const NOBODY = 65534;

/** A copy of the executable alone in a folder that every user may enter. */
async function alone(scratch: Scratch): Promise<string> {
  await Deno.chmod(scratch.path, 0o755);
  const folder = await scratch.folder("alone");
  await Deno.copyFile(DOZO, `${folder}/dozo`);
  await Deno.chmod(`${folder}/dozo`, 0o755);
  return folder;
}

/** Whether this machine lets the test make mount and network namespaces. */
async function canUnshare(): Promise<boolean> {
  return IS_ROOT && (await execute("unshare", ["-mn", "true"])).code === 0;
}

Deno.test("the executable runs in an empty folder with an empty environment and writes nothing", async () => {
  await using scratch = await Scratch.make();
  const folder = await alone(scratch);
  const outcome = await execute("env", ["-i", "./dozo", "version"], { cwd: folder });
  assert.equal(outcome.stderr, "");
  assert.match(outcome.stdout, /^dozo \d+\.\d+\.\d+/);
  assert.deepEqual([...Deno.readDirSync(folder)].map((entry) => entry.name), ["dozo"]);
});

Deno.test({
  name: "the executable runs as another user, with a home that does not exist",
  ignore: !IS_ROOT,
  async fn() {
    await using scratch = await Scratch.make();
    const folder = await alone(scratch);
    const user = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups"];
    const said = await must("setpriv", [...user, "env", "-i", "HOME=/nonexistent", `${folder}/dozo`, "version"]);
    assert.match(said, /^dozo /);
  },
});

Deno.test({
  name: "the executable serves and restores without network, Deno, Node, package cache and source tree",
  ignore: !await canUnshare(),
  async fn() {
    await using scratch = await Scratch.make();
    const folder = await alone(scratch);
    const tree = await scratch.folder("tree");
    await makeOddTree(tree);
    const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
    const hidden = [root, "/root", Deno.execPath().replace(/\/[^/]*$/, "")];
    const script = `
      set -eu
      for place in ${
      hidden.map((place) => `'${place}'`).join(" ")
    }; do [ ! -d "$place" ] || mount -t tmpfs -o ro none "$place"; done
      ip link set lo up 2>/dev/null || true
      ! command -v deno && ! command -v node
      cd '${folder}'
      ./dozo version
      ./dozo pxar create archive.pxar '${tree}'
      mkdir out
      ./dozo pxar extract archive.pxar out
      diff -r --no-dereference '${tree}/plain' out/plain
      echo all-well`;
    const outcome = await execute("unshare", ["-mn", "bash", "-c", script]);
    assert.match(outcome.stdout, /all-well\n$/, outcome.stdout + outcome.stderr);
  },
});

Deno.test("the executable is the tool by whose name it is called", async () => {
  await using scratch = await Scratch.make();
  const folder = await alone(scratch);
  await Deno.symlink("dozo", `${folder}/proxmox-backup-client`);
  const [own, linked] = await Promise.all([
    execute(`${folder}/dozo`, ["client", "help"]),
    execute(`${folder}/proxmox-backup-client`, ["help"]),
  ]);
  assert.equal(linked.code, 0);
  assert.equal(linked.stdout, own.stdout.replaceAll("dozo client", "proxmox-backup-client"));
  assert.match(linked.stdout, /backup/);
});

Deno.test("the runtime inside shows in no variable that a started program sees", async () => {
  await using scratch = await Scratch.make();
  const seen = `${scratch.path}/seen`;
  const env = {
    HOME: scratch.path,
    PBS_REPOSITORY: "127.0.0.1:1:store",
    PBS_PASSWORD_CMD: `sh ${scratch.path}/command`,
    NODE_OPTIONS: "--no-such-option",
    DENO_DIR: "/mine",
  };
  await Deno.writeTextFile(`${scratch.path}/command`, `env > ${seen}\necho secret\n`);
  const outcome = await execute(DOZO, ["client", "list"], { env });
  assert.equal(outcome.code, 255, outcome.stdout + outcome.stderr);
  const names = (await Deno.readTextFile(seen)).split("\n");
  assert.deepEqual(names.filter((line) => /^(DENO|NODE)/.test(line)).sort(), [
    "DENO_DIR=/mine",
    "NODE_OPTIONS=--no-such-option",
  ]);
});

Deno.test("errors are one line, on standard error, with the exit code of the established tools", async () => {
  const outcome = await execute(DOZO, ["client", "list", "--repository", "127.0.0.1:1:store"], {
    env: { PBS_PASSWORD: "x", HOME: "/nonexistent" },
  });
  assert.equal(outcome.code, 255);
  assert.equal(outcome.stdout, "");
  assert.match(outcome.stderr, /^Error: [^\n]+\n$/);
});

Deno.test("a server goes on with its own version when the executable is replaced below it", async () => {
  await using scratch = await Scratch.make();
  const folder = await alone(scratch);
  const server = await Server.start(`${scratch.memory}/server`, ["--workers", "2"], `${folder}/dozo`);
  await using _stopped = server;
  await Deno.remove(`${folder}/dozo`);
  await Deno.writeTextFile(`${folder}/dozo`, "#!/bin/sh\nexit 1\n", { mode: 0o755 });
  const workers: number[] = JSON.parse(await Deno.readTextFile(`${scratch.memory}/server/run/server.json`)).workers;
  for (const worker of workers) Deno.kill(worker, "SIGKILL");
  for (let tries = 0; tries < 100; tries++) {
    try {
      await Api.login(server);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  assert.fail(`no worker was started again:\n${server.output}`);
});
