/** A full disk on either side: a clear error, nothing half-finished is left, and it is over when there is space again. */
import assert from "node:assert/strict";
import { execute, must } from "./harness.ts";
import { assertRefused, IS_ROOT, noise, Testbed } from "./testbed.ts";

const MIB = 2 ** 20;

/** A small file system of its own; empty text where none can be mounted. */
async function mountSmall(folder: string, size: string): Promise<AsyncDisposable & { mounted: boolean }> {
  const { code } = await execute("mount", ["-t", "tmpfs", "-o", `size=${size},mode=0750`, "tmpfs", folder]);
  return {
    mounted: code === 0,
    [Symbol.asyncDispose]: async () => {
      if (code === 0) await must("umount", ["-l", folder]);
    },
  };
}

const canMount = IS_ROOT && (await execute("unshare", ["-m", "true"])).code === 0;

Deno.test({
  name: "a full disk ends a backup or a restore with one line, loses nothing, and needs no repair",
  ignore: !canMount, // a file system can be mounted by root only
  fn: async (t) => {
    await using bed = await Testbed.start();
    // The folders of a store alone take 65,536 inodes, hardly any bytes in memory.
    const small = await bed.scratch.folder("small");
    await using disk = await mountSmall(small, "24M");
    assert.ok(disk.mounted);
    await bed.api.createDatastore("tiny", `${small}/store`);
    const env = bed.server.clientEnv("tiny");
    const tree = await bed.scratch.folder("tree");
    await Deno.writeFile(`${tree}/data`, noise(4 * MIB));
    const backup = (time: number) => ["backup", `tree.pxar:${tree}`, "--backup-id", "a", "--backup-time", String(time)];
    const list = async () =>
      JSON.parse(await bed.must(["snapshot", "list", "--output-format", "json"], { env })).length;

    await bed.must(backup(1_700_000_000), { env });
    assert.equal(await list(), 1);

    await t.step("the server's disk fills up: the client says so, the snapshot is gone, the others stay", async () => {
      await Deno.writeFile(`${tree}/data`, noise(64 * MIB, 2));
      assertRefused(await bed.client(backup(1_700_000_100), { env }), /no space|ENOSPC|disk is full/i);
      assert.equal(await list(), 1);
      const folder = `${small}/store/host/a`;
      assert.deepEqual((await must("ls", [folder])).split("\n").filter((name) => /^\d/.test(name)).length, 1);
      const target = `${bed.scratch.path}/first`;
      await bed.must(["restore", "host/a/2023-11-14T22:13:20Z", "tree.pxar", target], { env });
      assert.equal(Buffer.compare(await Deno.readFile(`${target}/data`), noise(4 * MIB)), 0);
    });

    await t.step("with space again the next backup works, without repair or restart", async () => {
      await must("mount", ["-o", "remount,size=200M", small]);
      await bed.must(backup(1_700_000_200), { env });
      assert.equal(await list(), 2);
      const target = `${bed.scratch.path}/second`;
      await bed.must(["restore", "host/a", "tree.pxar", target], { env });
      assert.equal(Buffer.compare(await Deno.readFile(`${target}/data`), noise(64 * MIB, 2)), 0);
    });

    await t.step("the disk that is restored to fills up", async () => {
      const folder = await bed.scratch.folder("target");
      await using target = await mountSmall(folder, "10M");
      assert.ok(target.mounted);
      const restore = ["restore", "host/a", "tree.pxar", `${folder}/tree`];
      const outcome = await bed.client(restore, { env });
      assertRefused(outcome, /could not be restored/);
      assert.match(outcome.stderr, /"\/data": .*No space left on device/);
      await Deno.writeFile(`${tree}/disk.raw`, noise(32 * MIB, 3));
      await bed.must(["backup", `disk.img:${tree}/disk.raw`, "--backup-id", "image"], { env });
      assertRefused(
        await bed.client(["restore", "host/image", "disk.img", `${folder}/disk.raw`], { env }),
        /no space|ENOSPC|disk is full/i,
      );
    });
  },
});
