/** Several clients and several server processes at once: all locks and limits hold among them. */
import assert from "node:assert/strict";
import { assertRefused, chunkFiles, noise, Testbed, timeText, until } from "./testbed.ts";
import { descendants } from "./harness.ts";

const MIB = 2 ** 20;

Deno.test("BP-03 TM-09 two server processes: one backup per group at a time, each second once, readers beside writers", async (t) => {
  await using bed = await Testbed.start({ serverArgs: ["--workers", "2"] });
  assert.equal((await descendants(bed.server.pid)).length, 2);
  const tree = await bed.scratch.folder("tree");
  await Deno.writeFile(`${tree}/data`, noise(6 * MIB));
  const backup = (id: string, time: number, ...more: string[]) => [
    ...["backup", `tree.pxar:${tree}`, "--backup-id", id, "--backup-time", String(time)],
    ...more,
  ];
  const slow = ["--rate", "2MB"];
  const folder = (id: string, time: number) => `${bed.store}/host/${id}/${timeText(time)}`;
  const begun = (id: string, time: number) => until("the backup begins", () => exists(folder(id, time)), 20);

  await t.step(
    "a second backup of the group is refused by either process, the first one is not disturbed",
    async () => {
      const first = bed.background(backup("a", 1_700_000_000, ...slow));
      await begun("a", 1_700_000_000);
      // Connections spread over both processes: among eight, each process has some.
      first.kill("SIGSTOP");
      const others = await Promise.all(Array.from({ length: 8 }, (_, i) => bed.client(backup("a", 1_700_000_100 + i))));
      for (const outcome of others) {
        assertRefused(outcome, /unable to acquire .*lock.*another backup of host\/a is running/);
      }
      first.kill("SIGCONT");
      assert.equal((await first.status).code, 0);
      assert.deepEqual(await bed.snapshots(), ["host/a/2023-11-14T22:13:20Z"]);
    },
  );

  await t.step("the same second and an earlier one are refused", async () => {
    assertRefused(await bed.client(backup("a", 1_700_000_000)), /backup timestamp is older than last backup/);
    assertRefused(await bed.client(backup("a", 1_600_000_000)), /backup timestamp is older than last backup/);
    assert.deepEqual(await bed.snapshots(), ["host/a/2023-11-14T22:13:20Z"]);
    assert.deepEqual(await bed.leftovers(), []);
  });

  await t.step("other groups, and the same group in another namespace, run beside it", async () => {
    await bed.must(["namespace", "create", "other"]);
    const first = bed.background(backup("a", 1_700_001_000, ...slow));
    await begun("a", 1_700_001_000);
    await Promise.all([bed.must(backup("b", 1_700_001_000)), bed.must(backup("a", 1_700_001_000, "--ns", "other"))]);
    assert.equal((await first.status).code, 0);
  });

  await t.step("the base of a running backup cannot be forgotten, and is restored beside it", async () => {
    const base = "host/a/2023-11-14T22:30:00Z";
    assert.ok((await bed.snapshots()).includes(base));
    await Deno.writeFile(`${tree}/data`, noise(6 * MIB, 2));
    const running = bed.background(backup("a", 1_700_002_000, ...slow));
    await begun("a", 1_700_002_000);
    running.kill("SIGSTOP");
    assertRefused(await bed.client(["snapshot", "forget", base]), /lock/);
    assertRefused(await bed.client(["group", "forget", "host/a"]), /lock/);
    await bed.must(["restore", base, "tree.pxar", `${bed.scratch.path}/beside`]);
    assert.equal(Buffer.compare(await Deno.readFile(`${bed.scratch.path}/beside/data`), noise(6 * MIB)), 0);
    running.kill("SIGCONT");
    assert.equal((await running.status).code, 0);
  });

  await t.step("BP-20 a snapshot that is being restored cannot be forgotten, a new one can be added", async () => {
    const snapshot = "host/a/2023-11-14T22:46:40Z";
    assert.ok((await bed.snapshots()).includes(snapshot));
    const target = `${bed.scratch.path}/slow`;
    const restoring = bed.background(["restore", snapshot, "tree.pxar", target, ...slow]);
    await until("the restore begins", () => exists(target), 20);
    restoring.kill("SIGSTOP");
    assertRefused(await bed.client(["snapshot", "forget", snapshot]), /lock/);
    await bed.must(backup("a", 1_700_003_000));
    restoring.kill("SIGCONT");
    assert.equal((await restoring.status).code, 0);
    assert.equal(Buffer.compare(await Deno.readFile(`${target}/data`), noise(6 * MIB, 2)), 0);
    await bed.must(["snapshot", "forget", snapshot]);
  });

  await t.step("IN-03 TM-06 the same data again, also from another namespace, adds no chunk of data", async () => {
    await bed.must(backup("twin", 1_700_004_000));
    const before = await chunkFiles(bed.store);
    await bed.must(backup("twin", 1_700_004_001));
    await bed.must(backup("twin", 1_700_004_000, "--ns", "other"));
    assert.deepEqual(await chunkFiles(bed.store), before);
  });
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
