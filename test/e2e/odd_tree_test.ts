import assert from "node:assert/strict";
import { Api } from "./api.ts";
import { assertSameTree, DOZO, makeOddTree, must, Scratch, Server } from "./harness.ts";

const MODES = ["legacy", "data", "metadata"] as const;

Deno.test("an odd tree comes back equal in every way, in all detection modes, plain and encrypted", async (t) => {
  await using scratch = await Scratch.make();
  const tree = await scratch.folder("tree");
  await makeOddTree(tree);
  await using server = await Server.start(`${scratch.memory}/server`);
  await (await Api.login(server)).createDatastore("store", `${scratch.memory}/store`);
  const client = `${scratch.path}/proxmox-backup-client`;
  await Deno.symlink(DOZO, client);
  const env = server.clientEnv("store");
  const key = `${scratch.path}/key.json`;
  await must(client, ["key", "create", key, "--kdf", "none"], { env });

  for (const mode of MODES) {
    for (const encrypted of [false, true]) {
      await t.step(`${mode}, ${encrypted ? "encrypted" : "plain"}`, async () => {
        const id = `${mode}-${encrypted ? "crypt" : "plain"}`;
        const keyArgs = encrypted ? ["--keyfile", key] : [];
        const common = ["--backup-id", id, "--change-detection-mode", mode, "--include-dev", "/", ...keyArgs];
        // Twice: the second one compares with the first.
        for (const time of ["1700000000", "1700000100"]) {
          await must(client, ["backup", `tree.pxar:${tree}`, "--backup-time", time, ...common], { env });
        }
        for (const time of ["2023-11-14T22:13:20Z", "2023-11-14T22:15:00Z"]) {
          const target = await scratch.folder(`restored-${id}-${time}`);
          await must(client, ["restore", `host/${id}/${time}`, "tree.pxar", target, ...keyArgs], { env });
          await assertSameTree(target, tree);
        }
      });
    }
  }

  await t.step("the server lists all twelve snapshots", async () => {
    const text = await must(client, ["snapshot", "list", "--output-format", "json"], { env });
    assert.equal(JSON.parse(text).length, 12);
  });
});
