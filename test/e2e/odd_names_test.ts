/** Odd names on the way through catalog, patterns and single-file restore; runs of different modes and keys on one group. */
import assert from "node:assert/strict";
import { assertSameTree, DOZO, makeOddTree, must } from "./harness.ts";
import { assertRefused, IS_ROOT, Testbed } from "./testbed.ts";

Deno.test("names with newlines, quotes, bytes that are no text: listed on one line, found, restored alone", async (t) => {
  await using bed = await Testbed.start();
  const tree = await bed.scratch.folder("tree");
  const names = [
    "line\\nbreak",
    "tab\\tand\\\\back",
    "\\xff\\xfe",
    "-rf",
    "*?[a]",
    "...",
    " blank ",
    "\\xe2\\x82\\xac",
  ];
  for (const name of names) {
    await must("bash", ["-c", `printf %s content >"$(printf -- '${name}')"`], { cwd: tree });
  }
  await must("bash", ["-c", `mkdir "$(printf 'dir\\xff\\nx')" && : >"$(printf 'dir\\xff\\nx')/inner"`], { cwd: tree });
  await bed.must(["backup", `tree.pxar:${tree}`, "--backup-id", "names"]);

  await t.step("CL-131 the catalog has one line per entry, in printable characters", async () => {
    const lines = (await bed.must(["catalog", "dump", "host/names"])).trimEnd().split("\n");
    assert.equal(lines.length, 1 + names.length + 2, lines.join("\n"));
    for (const line of lines) assert.match(line, /^[df] "\.\/tree\.pxar\.didx[^\p{Cc}]*"( \d+ \S+)?$/u);
  });

  await t.step("each is restored alone", async () => {
    for (const [pattern, name] of [["/-rf", "-rf"], ["/[*][?][[]a[]]", "*?[a]"], ["/ blank ", " blank "]]) {
      const target = `${bed.scratch.path}/only ${name}`;
      await bed.must(["restore", "host/names", "tree.pxar", target, "--pattern", pattern]);
      assert.deepEqual([...Deno.readDirSync(target)].map((entry) => entry.name), [name]);
    }
  });

  await t.step("all of it comes back", async () => {
    const target = `${bed.scratch.path}/all`;
    await bed.must(["restore", "host/names", "tree.pxar", target]);
    await assertSameTree(target, tree);
  });
});

Deno.test("IN-08 one group in all modes, with and without keys, one run after the other: each restores equal", async (t) => {
  await using bed = await Testbed.start();
  const tree = await bed.scratch.folder("tree");
  await makeOddTree(tree);
  const client = `${bed.scratch.path}/proxmox-backup-client`;
  await Deno.symlink(DOZO, client);
  const env = bed.env;
  const keys: Record<string, string> = {};
  for (const name of ["first", "second"]) {
    keys[name] = `${bed.scratch.path}/${name}.json`;
    await must(client, ["key", "create", keys[name], "--kdf", "none"], { env });
  }
  const key = (name?: string) => name === undefined ? [] : ["--keyfile", keys[name]];
  const runs: { mode: string; key?: string; change?: string }[] = [
    { mode: "legacy" },
    { mode: "metadata", change: "echo more >>plain/deep/numbers.txt" },
    { mode: "metadata", change: "mv plain/random.bin moved.bin" },
    { mode: "metadata", key: "first" },
    { mode: "metadata", key: "first", change: "rm -r names; chmod 0700 sticky" },
    { mode: "metadata", key: "second" },
    { mode: "data", key: "second", change: "echo x >plain/new" },
    { mode: "metadata" },
    { mode: "legacy", key: "first" },
    { mode: "metadata", key: "first" },
  ];
  const include = IS_ROOT ? ["--include-dev", "/"] : [];
  for (const [i, run] of runs.entries()) {
    await t.step(`${i + 1}: ${run.mode}, ${run.key ?? "no"} key${run.change ? ", changed tree" : ""}`, async () => {
      if (run.change) await must("bash", ["-c", run.change], { cwd: tree });
      const time = String(1_700_000_000 + i);
      await must(client, [
        ...["backup", `tree.pxar:${tree}`, "--backup-id", "mixed", "--backup-time", time],
        ...["--change-detection-mode", run.mode, ...include, ...key(run.key)],
      ], { env });
      const target = `${bed.scratch.path}/restored`;
      await must(client, ["restore", "host/mixed", "tree.pxar", target, ...key(run.key)], { env });
      await assertSameTree(target, tree);
      await must("rm", ["-rf", target]);
      if (run.key === undefined) return;
      const other = run.key === "first" ? "second" : "first";
      assertRefused(await bed.client(["restore", "host/mixed", "tree.pxar", target, ...key(other)]), /wrong key/);
      assertRefused(await bed.client(["restore", "host/mixed", "tree.pxar", target]), /missing key/);
    });
  }

  await t.step("the server's files of an encrypted backup show no plain text", async () => {
    const secret = "a phrase that must not be seen";
    await Deno.writeTextFile(`${tree}/secret`, `${secret}\n`.repeat(3));
    await bed.must(["backup", `tree.pxar:${tree}`, "--backup-id", "secret", ...key("first")]);
    await must("bash", ["-c", `! grep -rqF '${secret}' "$1"`, "bash", bed.store]);
  });
});
