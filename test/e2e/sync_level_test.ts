/** When the server makes data durable, seen by the system calls it makes. */
import assert from "node:assert/strict";
import { descendants, execute } from "./harness.ts";
import { chunkFiles, noise, Testbed } from "./testbed.ts";

const MIB = 2 ** 20;
/** Another tracer, a container's rules or a missing program make it impossible. */
const canTrace = await execute("strace", ["-o", "/dev/null", "true"]).then(({ code }) => code === 0, () => false);

Deno.test({
  name: "ST-55 sync levels: one syncfs at the end, fsync of each chunk, or nothing",
  ignore: !canTrace,
  fn: async (t) => {
    await using bed = await Testbed.start({ serverArgs: ["--workers", "1"] });
    const tree = await bed.scratch.folder("tree");
    for (const [i, level] of ["filesystem", "file", "none"].entries()) {
      await t.step(level, async () => {
        await bed.api.call("PUT", "/config/datastore/store", { tuning: `sync-level=${level}` });
        await Deno.writeFile(`${tree}/data`, noise(6 * MIB, i + 1));
        const before = new Set(await chunkFiles(bed.store));
        const calls = await traced(bed, () => bed.must(["backup", `tree.pxar:${tree}`, "--backup-id", level]));
        const added = (await chunkFiles(bed.store)).filter((chunk) => !before.has(chunk));
        assert.ok(added.length >= 2);
        const at = (pattern: RegExp) => calls.findIndex((line) => pattern.test(line));
        const flushed = calls.filter((line) => /\bfsync\(/.test(line) && line.includes("/.chunks/"));
        if (level === "none") assert.deepEqual(calls.filter((line) => /sync\(|syncfs\(/.test(line)), []);
        if (level === "file") {
          for (const chunk of added) {
            const path = RegExp.escape(chunk);
            const flush = at(new RegExp(`\\bfsync\\(.*${path}\\.tmp`));
            assert.ok(flush >= 0 && flush < at(new RegExp(`rename.*${path}"`)), calls.join("\n"));
          }
        }
        if (level === "filesystem") {
          assert.equal(flushed.length, 0, calls.join("\n"));
          assert.equal(calls.filter((line) => /\bsyncfs\(/.test(line)).length, 1, calls.join("\n"));
          // Everything that the manifest names is on the disk before the manifest gets its name, and that one too in the end.
          const whole = at(/\bsyncfs\(/);
          const manifest = at(/rename.*index\.json\.blob"/);
          assert.ok(whole > calls.findLastIndex((line) => /rename.*(\.chunks|\.didx)/.test(line)), calls.join("\n"));
          assert.ok(whole < manifest && at(/\bfsync\(.*index\.json\.tmp/) < manifest, calls.join("\n"));
          assert.ok(calls.findLastIndex((line) => /\bfsync\(.*Z>/.test(line)) > manifest, calls.join("\n"));
        }
      });
    }
  },
});

/** The server's flushing and renaming calls while `work` runs, in order, with the paths of the descriptors. */
async function traced(bed: Testbed, work: () => Promise<unknown>): Promise<string[]> {
  const log = `${bed.scratch.path}/trace`;
  const processes = [bed.server.pid, ...await descendants(bed.server.pid)];
  const child = new Deno.Command("strace", {
    args: [
      ...["-f", "-y", "-e", "trace=fsync,fdatasync,syncfs,rename,renameat,renameat2", "-o", log],
      ...processes.flatMap((pid) => ["-p", String(pid)]),
    ],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("attached")) {
    const { value, done } = await reader.read();
    assert.ok(!done, said);
    said += value;
  }
  const rest = (async () => {
    while (!(await reader.read()).done);
  })();
  try {
    await work();
  } finally {
    child.kill("SIGINT");
    await child.status;
    await rest;
  }
  return (await Deno.readTextFile(log)).split("\n").filter((line) => /sync|rename/.test(line));
}
