import assert from "node:assert/strict";
import { assertSameTree, execute, makeOddTree, must, Scratch } from "./harness.ts";

Deno.test("the tree comparison sees a copy as equal and every kind of difference", async (t) => {
  await using scratch = await Scratch.make();
  const original = await scratch.folder("original");
  await makeOddTree(original);
  const changes: Record<string, string> = {
    content: "printf x >> plain/deep/deeper/hard",
    "a nanosecond": "touch -d '2010-10-10 10:10:10.101010102' plain/deep",
    mode: "chmod g-s setgid",
    "an attribute": "setfattr -x user.empty plain/run.sh",
    "an access list": "setfacl -k setgid",
    "a broken hard link": "cp -a another-hard x && mv x another-hard",
    "a link's target": "ln -sfn elsewhere plain/dangling",
    "a missing name": "rm names/caf*",
  };
  const copy = `${scratch.path}/copy`;
  await must("cp", ["-a", original, copy]);
  await assertSameTree(copy, original);
  for (const [what, command] of Object.entries(changes)) {
    await t.step(what, async () => {
      await must("rm", ["-rf", copy]);
      await must("cp", ["-a", original, copy]);
      await must("bash", ["-c", command], { cwd: copy });
      await assert.rejects(assertSameTree(copy, original), /differs from/);
    });
  }
});

Deno.test("a command that runs too long is killed", async () => {
  const outcome = await execute("sleep", ["30"], { seconds: 0.2 });
  assert.notEqual(outcome.code, 0);
});
