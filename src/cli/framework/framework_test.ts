/** The form of usage, help and errors (`spec/cli-output.md` §1, §5, §6, §7). */
import assert from "node:assert/strict";
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { bool, choice, integer, list, text } from "../../config/schema/mod.ts";
import { command, type Tool } from "./command.ts";
import { completionCandidates } from "./completion.ts";
import { splitForCompletion } from "./completion_words.ts";
import { printOut } from "./print.ts";
import { runInside } from "./testing.ts";

const show = command({
  path: "snapshot notes show",
  summary: "Show notes.",
  positional: ["snapshot"],
  params: z.object({
    snapshot: text({ description: "Snapshot path." }),
    "output-format": choice(["text", "json"]).optional(),
    port: integer(1, 65535).default(8007),
  }),
  run: ({ snapshot, port }) => printOut(`notes of ${snapshot} at ${port}\n`),
});
const listing = command({
  path: "snapshot list",
  summary: "List snapshots.",
  positional: ["group"],
  params: z.object({ group: text().optional() }),
  run: ({ group }) => printOut(`list ${group}\n`),
});
const save = command({
  path: "save",
  summary: "Save things.",
  positional: ["spec"],
  params: z.object({
    spec: list(text({ pattern: /^\w+$/ })),
    target: text(),
    dry: bool().default(false),
    keep: bool().default(true),
    skip: list(text()).optional(),
  }),
  run: (params) => printOut(JSON.stringify(params) + "\n"),
});
const fail = command({
  path: "fail",
  summary: "Fail.",
  params: z.object({}),
  run: () => Promise.reject(new DozoError("it did not work")),
});
const tool: Tool = {
  name: "tool",
  commands: [show, listing, save, fail],
  aliases: { snapshots: "snapshot list" },
  complete: (_command, name) => Promise.resolve(name === "snapshot" ? ["host/a", "host/b"] : []),
};
const quiet = { RUST_BACKTRACE: "0", PBS_LOG: "info" };
const run = (...words: string[]) => runInside(tool, words, quiet);

const LEVEL = `tool fail
tool save {<spec>} --target <string> [OPTIONS]
tool snapshot list [<group>]
tool snapshot notes show <snapshot> [OPTIONS]
`;
const SAVE_USAGE = `Usage: tool save {<spec>} --target <string> [OPTIONS]

Save things.

 <spec>     <string>

 --target   <string>

Optional parameters:

 --dry      <boolean>   (default=false)

 --keep     <boolean>   (default=true)

 --skip     <string>
`;

Deno.test("commands are found by unambiguous prefixes and aliases; options have one or two dashes", async () => {
  assert.equal((await run("snap", "n", "s", "x")).out, "notes of x at 8007\n");
  assert.equal((await run("snapshot", "notes", "show", "-port", "1", "x")).out, "notes of x at 1\n");
  assert.equal((await run("snapshot", "notes", "show", "--port=2", "--", "-x")).out, "notes of -x at 2\n");
  assert.equal((await run("snapshots", "host/a")).out, "list host/a\n");
  const { code, err } = await run("s");
  assert.deepEqual([code, err], [255, `Error: no such command 's'\n\nUsage:\n\n${LEVEL}`]);
});

Deno.test("lists, lone booleans and repeated options", async () => {
  const parsed = async (...words: string[]) => JSON.parse((await run("save", ...words)).out);
  const all = { spec: ["a", "b"], target: "t", dry: true, keep: true };
  assert.deepEqual(await parsed("a", "--dry", "b", "--target", "t"), all);
  assert.deepEqual(await parsed("--target", "t", "a", "b", "--dry", "yes"), all);
  assert.deepEqual(await parsed("a", "--target=t", "--skip", "x", "--skip", "y", "--keep", "off"), {
    ...{ spec: ["a"], target: "t", dry: false, keep: false, skip: ["x", "y"] },
  });
});

Deno.test("one bad parameter is one line, several are a list, and the usage follows", async () => {
  const one = await run("save", "a b", "--target", "t");
  assert.equal(one.code, 255);
  assert.equal(
    one.err,
    `Error: parameter verification failed - 'spec': value does not match the regex pattern\n${SAVE_USAGE}`,
  );
  const two = await run("save", "--dry", "maybe", "--keep", "--target");
  assert.equal(
    two.err,
    "Error: parameter verification failed:\n- 'keep': missing boolean value.\n- 'target': missing parameter value.\n" +
      SAVE_USAGE,
  );
  assert.match(
    (await run("save", "--target", "t")).err,
    /^Error: parameter verification failed - 'spec': missing argument\nUsage: /,
  );
  assert.match((await run("save", "a")).err, /'target': parameter is missing and it is not optional\.\n/);
  assert.match(
    (await run("save", "a", "--target", "t", "--what", "x")).err,
    /'what': schema does not allow additional properties\.\n/,
  );
  const extra = await run("snapshot", "list", "a", "b", "c");
  assert.match(extra.err, /^Error: got additional arguments: \["b", "c"\]\nUsage: tool snapshot list \[<group>\]\n/);
});

Deno.test("no command and unknown commands show what there is", async () => {
  const none = await run();
  assert.deepEqual(
    [none.code, none.err],
    [
      255,
      `Error: no command specified.\nPossible commands: fail, help, save, snapshot, snapshots\n\nUsage:\n\n${LEVEL}`,
    ],
  );
  const below = await run("snapshot");
  assert.match(
    below.err,
    /^Error: no command specified\.\nPossible commands: list, notes\n\nUsage:\n\ntool snapshot list/,
  );
  assert.match((await run("snapshot", "foo")).err, /^Error: no such command 'snapshot foo'\n\nUsage:\n/);
});

Deno.test("an error is one line on stderr and exit code 255", async () => {
  assert.deepEqual(await run("fail"), { code: 255, out: "", err: "Error: it did not work\n" });
  assert.match((await runInside(tool, ["fail"], { PBS_LOG: "debug" })).err, /\n {4}at /);
});

Deno.test("help goes to stdout, without the tool's name, and knows nothing of what is not there", async () => {
  const all = await run("help");
  assert.deepEqual([all.code, all.out], [0, `Usage:\n\n${LEVEL.replaceAll("tool ", "")}`]);
  assert.equal((await run("help", "save")).out, SAVE_USAGE.replace("tool ", ""));
  const group = await run("help", "snapshot");
  assert.match(group.out, /^Usage:\n\nsnapshot list \[<group>\]\nsnapshot notes show <snapshot> \[OPTIONS\]\n$/);
  const unknown = await run("help", "nothing");
  assert.deepEqual(unknown, { code: 0, out: "", err: "no such command 'nothing'\n" });
  assert.match((await run("help", "--verbose", "true", "snapshot")).out, /List snapshots\.[\s\S]*Show notes\./);
});

Deno.test("completion offers commands, options, words and dynamic values", async () => {
  const complete = (line: string) => completionCandidates(tool, line, line.length);
  assert.deepEqual(await complete("tool s"), ["save", "snapshot", "snapshots"]);
  assert.deepEqual(await complete("tool snapshot n"), ["notes"]);
  assert.deepEqual(await complete("tool help sn"), ["snapshot", "snapshots"]);
  assert.deepEqual(await complete("tool snapshot notes show --"), ["--output-format", "--port"]);
  assert.deepEqual(await complete("tool snapshot notes show --output-format j"), ["json"]);
  assert.deepEqual(await complete("tool snapshot notes show host/"), ["host/a", "host/b"]);
  assert.deepEqual(await complete("tool save --dry t"), ["true"]);
  const { out, code } = await runInside(tool, ["bashcomplete"], { COMP_LINE: "tool fa and more", COMP_POINT: "7" });
  assert.deepEqual([code, out], [0, "fail\n"]);
});

Deno.test("completion splits the line as bash does", () => {
  assert.deepEqual(splitForCompletion(`tool 'a b' "c\\ d`, 99), { words: ["tool", "a b"], current: "c\\ d" });
  assert.deepEqual(splitForCompletion("tool é x", 8), { words: ["tool", "é"], current: "" });
});
