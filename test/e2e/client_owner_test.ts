/** Who owns groups, and what completion offers, through the client. */
import assert from "node:assert/strict";
import { Bench, FIRST, TIME } from "./client.ts";

Deno.test("owners of groups, and completion", async (t) => {
  await using bench = await Bench.start();
  const file = `${bench.scratch.path}/a.conf`;
  await Deno.writeTextFile(file, "a\n");
  for (const name of ["mike", "john"]) {
    await bench.api.call("POST", "/access/users", { userid: `${name}@pbs`, password: `${name}-password` });
    await bench.api.call("PUT", "/access/acl", {
      path: "/datastore/store",
      role: "DatastoreBackup",
      "auth-id": `${name}@pbs`,
    });
  }
  const as = (name: string) => ({
    env: { PBS_REPOSITORY: `${name}@pbs@127.0.0.1:${bench.server.port}:store`, PBS_PASSWORD: `${name}-password` },
  });

  await t.step("CL-173 only the owner of a group adds to it", async () => {
    await bench.must(["backup", `a.conf:${file}`, "--backup-id", "mike", "--backup-time", String(TIME)], as("mike"));
    const [group] = await bench.json<{ owner: string }[]>(["list"]);
    assert.equal(group.owner, "mike@pbs");
    await bench.refused(["backup", `a.conf:${file}`, "--backup-id", "mike"], /owner/, as("john"));
    await bench.must(["backup", `a.conf:${file}`, "--backup-id", "mike"], as("mike"));
    assert.deepEqual(JSON.parse((await bench.must(["list", "--output-format", "json"], as("john"))).stdout), []);
  });

  await t.step(
    "CL-06 CL-173 CL-174 a token is another owner than its user, who may hand the group over to it",
    async () => {
      const { tokenid, value } = await bench.api.call<{ tokenid: string; value: string }>(
        "POST",
        "/access/users/mike@pbs/token/backup",
        {},
      );
      await bench.api.call("PUT", "/access/acl", {
        path: "/datastore/store",
        role: "DatastoreBackup",
        "auth-id": tokenid,
      });
      const token = {
        env: { PBS_REPOSITORY: `${tokenid}@127.0.0.1:${bench.server.port}:store`, PBS_PASSWORD: value },
      };
      await bench.refused(["backup", `a.conf:${file}`, "--backup-id", "mike"], /owner/, token);
      await bench.refused(["change-owner", "host/mike", "john@pbs"], /./, as("mike"));
      await bench.must(["change-owner", "host/mike", tokenid], as("mike"));
      await bench.must(["backup", `a.conf:${file}`, "--backup-id", "mike"], token);
      await bench.must(["change-owner", "host/mike", "john@pbs"]);
      assert.equal((await bench.json<{ owner: string }[]>(["list"]))[0].owner, "john@pbs");
    },
  );

  await t.step("CL-189 completion knows repositories, groups, snapshots and archives, and never asks", async () => {
    const complete = async (line: string, env: Record<string, string> = {}) =>
      (await bench.must(["bashcomplete"], {
        env: { COMP_LINE: `dozo ${line}`, COMP_POINT: String(line.length + 5), ...env },
      })).stdout.split("\n");
    assert.ok((await complete("snapshot list --repository ")).includes(bench.env.PBS_REPOSITORY));
    assert.deepEqual((await complete("snapshot list host/")).slice(0, 1), ["host/mike"]);
    assert.ok((await complete("restore host/mike/")).includes(`host/mike/${FIRST}`));
    assert.deepEqual((await complete(`restore host/mike/${FIRST} a`)).slice(0, 1), ["a.conf"]);
    assert.deepEqual(await complete("snapshot list host/", { PBS_PASSWORD: "", XDG_RUNTIME_DIR: "" }), [""]);
  });
});
