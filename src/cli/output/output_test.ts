/** Tables and JSON (`spec/cli-output.md` §2–§4). */
import assert from "node:assert/strict";
import { captureOutput } from "../framework/print.ts";
import { printList, printObject } from "./format.ts";
import { localOffset, renderDuration, renderFiles, renderSize, renderTime, renderUsage, renderUtc } from "./render.ts";
import { formatObject, formatTable, type TableStyle } from "./table.ts";
import { displayWidth } from "./width.ts";

const UTF8: TableStyle = { border: true, header: true, utf8: true };
const rows = [{ userid: "alice@pbs", enable: true }, { userid: "root@pam", enable: true }];
const columns = [{ key: "userid" }, { key: "enable", right: true }, {
  key: "expire",
  right: true,
  render: () => "never",
}];

Deno.test("CL-30 CL-32 a table looks as specified, with and without borders and header", () => {
  assert.equal(
    formatTable(rows, columns, UTF8),
    `┌───────────┬────────┬────────┐
│ userid    │ enable │ expire │
╞═══════════╪════════╪════════╡
│ alice@pbs │      1 │  never │
├───────────┼────────┼────────┤
│ root@pam  │      1 │  never │
└───────────┴────────┴────────┘
`,
  );
  assert.equal(
    formatTable(rows, columns, { ...UTF8, utf8: false, header: false }),
    `+===========+===+=======+
| alice@pbs | 1 | never |
+-----------+---+-------+
| root@pam  | 1 | never |
+===========+===+=======+
`,
  );
  assert.equal(formatTable(rows, columns, { ...UTF8, border: false }), "alice@pbs 1 never\nroot@pam  1 never\n");
  assert.equal(formatTable([], columns, UTF8), "");
});

Deno.test("tables count display columns, hold several lines in a row and are cut at the terminal's width", () => {
  const wide = [{ a: "日本", b: "x\ny" }];
  assert.equal(
    formatTable(wide, [{ key: "a" }, { key: "b" }], UTF8),
    "┌──────┬───┐\n│ a    │ b │\n╞══════╪═══╡\n│ 日本 │ x │\n│      │ y │\n└──────┴───┘\n",
  );
  const cut = formatTable(wide, [{ key: "a" }], { ...UTF8, width: 4 });
  assert.equal(cut, "┌───\n│ a \n╞═══\n│ 日\n└───\n");
  assert.equal(displayWidth("e\u0301日"), 3);
});

Deno.test("objects are Name and Value, right-aligned only when all are numbers", () => {
  assert.match(formatObject([["a", "1", true], ["bb", "22", true]], UTF8), /│ a {4}│ {5}1 │/);
  assert.match(formatObject([["a", "1", true], ["bb", "x", false]], UTF8), /│ a {4}│ 1 {5}│/);
});

function printed(env: Record<string, string>, work: () => void) {
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  const output = captureOutput();
  try {
    work();
    return output.stop();
  } finally {
    output.stop();
    Object.keys(env).forEach((name) => Deno.env.delete(name));
  }
}

Deno.test("CL-30 CL-31 CL-33 JSON is sorted by name and complete, the option beats the variable", () => {
  const data = [{ b: 1, a: [true, null], c: undefined }];
  const show = (option?: "text" | "json" | "json-pretty") => () => printList(option, data, [{ key: "b" }]);
  assert.equal(printed({}, show("json")).out, '[{"a":[true,null],"b":1}]\n');
  assert.equal(printed({ PROXMOX_OUTPUT_FORMAT: "json" }, show()).out, '[{"a":[true,null],"b":1}]\n');
  assert.match(printed({ PROXMOX_OUTPUT_FORMAT: "json" }, show("json-pretty")).out, /^\[\n {2}\{\n {4}"a": \[/);
  assert.equal(printed({}, () => printList("json", [], [{ key: "b" }])).out, "[]\n");
  assert.equal(printed({}, () => printList("text", [], [{ key: "b" }])).out, "");
  const wrong = printed({ PROXMOX_OUTPUT_FORMAT: "xml" }, show());
  assert.deepEqual(wrong, { out: "", err: "undefined output format 'xml'\n" });
  const object = printed({}, () => printObject("text", { z: 1, a: "x", n: null }, ["z", "a", "n"]));
  assert.match(object.out, /Name/);
  assert.doesNotMatch(object.out, /\bn\b/);
});

Deno.test("values are rendered in the established words", () => {
  assert.deepEqual([0, 1023, 2 ** 31, 1274560000].map(renderSize), ["0 B", "1023 B", "2 GiB", "1.187 GiB"]);
  assert.equal(renderUsage(27769163776, 270553174016), "27769163776   (10 %)");
  assert.equal(renderUsage(270553174016, 270553174016), "270553174016  (100 %)");
  assert.deepEqual([7, 65, 7203].map(renderDuration), ["7s", "1m 5s", "2h 0m 3s"]);
  assert.equal(
    renderFiles(["root.pxar.didx", { filename: "catalog.pcat1.didx" }, "index.json.blob"]),
    "catalog.pcat1 index.json root.pxar",
  );
  assert.equal(renderUtc(1795265742), "2026-11-21T12:55:42Z");
  const time = 1795265742;
  assert.match(renderTime(time), /^Sat Nov 21 \d\d:\d5:42 2026$/);
  assert.ok(Math.abs(localOffset(time)) <= 14 * 60);
});
