/** `dozo pxar`: archives in files, without a server (rows PX-01 … PX-16). */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { assertSameTree, DOZO, execute, makeOddTree, must, type Outcome, type RunOptions, Scratch } from "./harness.ts";

const vectors = fileURLToPath(new URL("../vectors/pxar/", import.meta.url));
const pxar = (args: readonly string[], options: RunOptions = {}): Promise<Outcome> =>
  execute(DOZO, ["pxar", ...args], options);
const ok = (args: readonly string[], options: RunOptions = {}): Promise<string> =>
  must(DOZO, ["pxar", ...args], options);

async function smallTree(scratch: Scratch): Promise<string> {
  const tree = await scratch.folder("tree");
  await Deno.mkdir(`${tree}/folder`);
  for (const name of ["a.txt", "b.conf", "folder/file.txt", "folder/other.txt"]) {
    await Deno.writeTextFile(`${tree}/${name}`, name);
  }
  return tree;
}

Deno.test("PX-01 PX-15 an odd tree comes back equal, as one file and as two", async () => {
  await using scratch = await Scratch.make();
  const tree = await scratch.folder("tree");
  await makeOddTree(tree);
  const here = scratch.path;
  await ok(["create", `${here}/one.pxar`, tree, "--all-file-systems"]);
  await ok(["extract", `${here}/one.pxar`, `${here}/one`]);
  await assertSameTree(`${here}/one`, tree);
  await ok(["create", `${here}/two.mpxar`, tree, "--all-file-systems", "--payload-output", `${here}/two.ppxar`]);
  await ok(["extract", `${here}/two.mpxar`, `${here}/two`, "--payload-input", `${here}/two.ppxar`]);
  await assertSameTree(`${here}/two`, tree);
});

Deno.test("PX-10 PX-14 the archives of the established tool are listed as it lists them", async () => {
  await using scratch = await Scratch.make();
  for (const name of ["tree.pxar", "tree.mpxar", "tree.ppxar"]) {
    await must("zstd", ["-dqf", `${vectors}${name}.zst`, "-o", `${scratch.path}/${name}`]);
  }
  const wanted = await Deno.readTextFile(`${vectors}tree.list`);
  const list = (args: string[]) => ok(["list", ...args], { cwd: scratch.path });
  assert.equal(await list(["tree.pxar"]), wanted);
  assert.equal(await list(["tree.mpxar", "--payload-input", "tree.ppxar"]), wanted);
  assert.equal(await list(["tree.mpxar"]), wanted);
  const detailed = await ok(["list", "tree.pxar"], { cwd: scratch.path, env: { PXAR_LOG: "debug" } });
  assert.match(detailed, /^drwxr-xr-x 0\/0 /);
});

Deno.test("PX-02 an archive is never overwritten, has mode 0640, and is not left half written", async () => {
  await using scratch = await Scratch.make();
  const tree = await smallTree(scratch);
  const archive = `${scratch.path}/a.pxar`;
  await ok(["create", archive, tree]);
  assert.equal(((await Deno.stat(archive)).mode ?? 0) & 0o777, 0o640);
  const before = await Deno.readFile(archive);
  const again = await pxar(["create", archive, tree]);
  assert.equal(again.code, 255);
  assert.match(again.stderr, /^Error: unable to create archive '.*a\.pxar'/);
  assert.deepEqual(await Deno.readFile(archive), before);
  assert.equal((await pxar(["create", "-", tree])).code, 255);
  assert.equal((await pxar(["create", `${scratch.path}/b.pxar`, `${scratch.path}/none`])).code, 255);
  await assert.rejects(Deno.stat(`${scratch.path}/b.pxar`));
  assert.equal((await pxar(["create", `${scratch.path}/c.pxar`, tree, "--entries-max", "1"])).code, 255);
  await assert.rejects(Deno.stat(`${scratch.path}/c.pxar`));
});

Deno.test({
  name: "PX-03 what is mounted below the source is left out unless all file systems are asked for",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using scratch = await Scratch.make();
    const tree = await smallTree(scratch);
    await must("mount", ["-t", "tmpfs", "tmpfs", `${tree}/folder`]);
    try {
      await Deno.writeTextFile(`${tree}/folder/elsewhere`, "x");
      await ok(["create", `${scratch.path}/one`, tree]);
      assert.doesNotMatch(await ok(["list", `${scratch.path}/one`]), /elsewhere/);
      await ok(["create", `${scratch.path}/all`, tree, "--all-file-systems"]);
      assert.match(await ok(["list", `${scratch.path}/all`]), /"\/folder\/elsewhere"/);
    } finally {
      await must("umount", [`${tree}/folder`]);
    }
  },
});

Deno.test("PX-04 PX-05 PX-06 PX-07 patterns leave entries out, the last match decides", async () => {
  await using scratch = await Scratch.make();
  const tree = await smallTree(scratch);
  const list = async (name: string, args: string[]) => {
    await ok(["create", `${scratch.path}/${name}`, tree, ...args]);
    return (await ok(["list", `${scratch.path}/${name}`])).trim().split("\n").map((line) => JSON.parse(line)).filter((
      path,
    ) => path !== "/")
      .sort();
  };
  assert.deepEqual(await list("a", ["--exclude", "**/*.txt"]), ["/.pxarexclude-cli", "/b.conf", "/folder"]);
  assert.deepEqual(await list("b", ["--exclude", "**/*.txt", "--exclude", "!/folder/file.txt"]), [
    ...["/.pxarexclude-cli", "/b.conf", "/folder", "/folder/file.txt"],
  ]);
  assert.deepEqual(await list("c", ["--exclude", "!/folder/file.txt", "--exclude", "**/*.txt"]), [
    ...["/.pxarexclude-cli", "/b.conf", "/folder"],
  ]);
  await Deno.writeTextFile(`${tree}/folder/.pxarexclude`, "*.txt\n!other.txt\n");
  assert.deepEqual(await list("d", []), ["/a.txt", "/b.conf", "/folder", "/folder/.pxarexclude", "/folder/other.txt"]);
});

Deno.test("PX-08 PX-09 extraction from a pipe, into the current directory, and of chosen paths", async () => {
  await using scratch = await Scratch.make();
  const tree = await smallTree(scratch);
  const archive = `${scratch.path}/a.pxar`;
  await ok(["create", archive, tree]);
  const here = await scratch.folder("here");
  await ok(["extract", archive], { cwd: here });
  await must("diff", ["-r", tree, here]);
  await must("sh", ["-c", `cat "$1" | "$0" pxar extract - "$2"`, DOZO, archive, `${scratch.path}/piped`]);
  await must("diff", ["-r", tree, `${scratch.path}/piped`]);
  await ok(["extract", archive, `${scratch.path}/conf`, "--pattern", "**/*.conf"]);
  assert.equal(await must("find", [".", "-type", "f"], { cwd: `${scratch.path}/conf` }), "./b.conf\n");
  await Deno.writeTextFile(`${scratch.path}/patterns`, "# a comment\n**/file.txt\n\n");
  await ok(["extract", archive, `${scratch.path}/from`, "--files-from", `${scratch.path}/patterns`]);
  assert.equal(await must("find", [".", "-type", "f"], { cwd: `${scratch.path}/from` }), "./folder/file.txt\n");
});

Deno.test("PX-13 existing files are kept unless overwriting is asked for; an error does not stop the rest but the exit code tells", async () => {
  await using scratch = await Scratch.make();
  const tree = await smallTree(scratch);
  const archive = `${scratch.path}/a.pxar`;
  await ok(["create", archive, tree]);
  const target = await scratch.folder("target");
  await Deno.writeTextFile(`${target}/a.txt`, "mine");
  const kept = await pxar(["extract", archive, target, "--allow-existing-dirs"]);
  assert.equal(kept.code, 255);
  assert.match(kept.stderr, /^Error: there were errors$/m);
  assert.equal(await Deno.readTextFile(`${target}/a.txt`), "mine");
  assert.equal(await Deno.readTextFile(`${target}/folder/other.txt`), "folder/other.txt");
  const strict = await pxar(["extract", archive, target, "--allow-existing-dirs", "--strict"]);
  assert.equal(strict.code, 255);
  await ok(["extract", archive, target, "--allow-existing-dirs", "--overwrite"]);
  assert.equal(await Deno.readTextFile(`${target}/a.txt`), "a.txt");
});

Deno.test("PX-16 a hostile archive writes nothing outside of its target", async () => {
  await using scratch = await Scratch.make();
  const names = [...Deno.readDirSync(`${vectors}malformed`)].map(({ name }) => name);
  const hostile = names.filter((name) =>
    /\.pxar$/.test(name) && /slash|dotdot|parent|escape|outside|symlink|link/.test(name)
  );
  assert.ok(hostile.length > 3, hostile.join(" "));
  for (const name of hostile) {
    const jail = await scratch.folder(`jail-${name}`);
    const target = await scratch.folder(`jail-${name}/target`);
    await Deno.writeTextFile(`${jail}/precious`, "precious");
    await pxar(["extract", `${vectors}malformed/${name}`, target, "--allow-existing-dirs", "--overwrite"], {
      seconds: 30,
    });
    assert.deepEqual([...Deno.readDirSync(jail)].map((entry) => entry.name).sort(), ["precious", "target"], name);
    assert.equal(await Deno.readTextFile(`${jail}/precious`), "precious", name);
  }
});

Deno.test("what is no archive is refused in one line", async () => {
  await using scratch = await Scratch.make();
  await Deno.writeTextFile(`${scratch.path}/text`, "not an archive at all, but long enough for a header");
  for (const args of [["list", "text"], ["extract", "text", "out"], ["list", "none"]]) {
    const { code, stderr } = await pxar(args, { cwd: scratch.path });
    assert.equal(code, 255);
    assert.match(stderr, /^Error: [^\n]+\n$/);
  }
});
