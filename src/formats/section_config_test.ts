import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { type ConfigSection, formatSectionConfig, parseSectionConfig, type SectionRules } from "./section_config.ts";

const VECTORS = new URL("../../test/vectors/config/", import.meta.url);
const PRUNE: Record<string, SectionRules> = {
  prune: {
    keys: { "keep-last": "one", "schedule": "one", "store": "one", "comment": "one", "ns": "one", "disable": "one" },
    idProblem: (id) =>
      id.length < 3
        ? "value must be at least 3 characters long"
        : /^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(id)
        ? undefined
        : "value does not match the regex pattern",
  },
};

Deno.test("hand-written files are read or refused as PBS does, with its line and reason", () => {
  let checked = 0;
  for (const line of Deno.readTextFileSync(new URL("parse.jsonl", VECTORS)).trim().split("\n")) {
    const row = JSON.parse(line);
    if (row.file !== "prune.cfg") continue;
    // Values are checked by the schemas above this layer.
    if (/property '[^']*'(:| is missing)/.test(row.answer)) continue;
    checked++;
    if (row.status === 200) {
      const ids = parseSectionConfig(row.content, PRUNE).map((section) => section.id).sort();
      assert.deepEqual(ids, row.answer.data.map((item: { id: string }) => item.id).sort(), row.experiment);
      for (const item of row.answer.data) {
        const section = parseSectionConfig(row.content, PRUNE).find((one) => one.id === item.id);
        if ("comment" in item) assert.deepEqual(section?.properties.get("comment"), [item.comment]);
        if ("keep-last" in item) assert.deepEqual(section?.properties.get("keep-last"), [String(item["keep-last"])]);
      }
    } else if (row.experiment !== "id with unicode") {
      const reason = row.answer.replace(/^parsing "[^"]*" failed: /, "");
      assert.throws(
        () => parseSectionConfig(row.content, PRUNE),
        (error: Error) => error.message === reason,
        row.experiment,
      );
    }
  }
  assert.ok(checked > 25);
});

Deno.test("every section configuration of a real server is written back byte for byte", () => {
  const files = [...Deno.readDirSync(new URL("etc/", VECTORS))].map((entry) => entry.name)
    .filter((name) => name.endsWith(".cfg") && !["acl.cfg", "node.cfg"].includes(name));
  assert.ok(files.length > 12);
  for (const name of files) {
    const text = Deno.readTextFileSync(new URL(`etc/${name}`, VECTORS));
    assert.equal(formatSectionConfig(parseSectionConfig(text)), text, name);
  }
});

Deno.test("an empty value keeps its blank, arrays repeat their key", () => {
  const sections: ConfigSection[] = [
    {
      type: "sync",
      id: "s-1",
      properties: new Map([["ns", [""]], ["group-filter", ["type:vm", "exclude:group:vm/1"]]]),
    },
    { type: "pool", id: "empty", properties: new Map() },
  ];
  const text = "sync: s-1\n\tgroup-filter type:vm\n\tgroup-filter exclude:group:vm/1\n\tns \n\npool: empty\n";
  assert.equal(formatSectionConfig(sections), text);
  assert.deepEqual(parseSectionConfig(text)[0].properties, new Map([...sections[0].properties].reverse()));
});

Deno.test("what could not be read back is not written", () => {
  const write = (type: string, id: string, key: string, value: string) => () =>
    formatSectionConfig([{ type, id, properties: new Map([[key, [value]]]) }]);
  assert.throws(write("t", "id", "key", "two\nlines"), FormatError);
  assert.throws(write("t", "id", "a key", "x"), FormatError);
  assert.throws(write("t", "id", "key", " x"), FormatError);
  assert.throws(write("t", "id\n", "key", "x"), FormatError);
  assert.throws(write("1", "id", "key", "x"), FormatError);
});

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_.-]{0,11}$/);
const value = fc.string({ unit: "grapheme", maxLength: 40 }).map((text) => text.replaceAll(/\p{Cc}/gu, "").trim());

Deno.test("property: sections come back", () => {
  const section = fc.record({
    type: word,
    id: word,
    properties: fc.uniqueArray(fc.tuple(word, fc.array(value, { minLength: 1, maxLength: 3 })), {
      selector: ([key]) => key,
      maxLength: 5,
    }).map((pairs) => new Map(pairs.sort(([a], [b]) => a < b ? -1 : 1))),
  }, { noNullPrototype: true });
  const unique = { selector: (one: { type: string; id: string }) => `${one.type}:${one.id}`, maxLength: 5 };
  fc.assert(fc.property(fc.uniqueArray(section, unique), (sections) => {
    assert.deepEqual(parseSectionConfig(formatSectionConfig(sections)), sections);
  }));
});

Deno.test("fuzz: any text gives sections or a FormatError", () => {
  const piece = fc.oneof(
    fc.constantFrom("a: b\n", "\tk v\n", "\n", " ", ":", "\t", "\r\n", "__proto__: x\n", "\ttoString 1\n"),
    fc.string(),
  );
  fc.assert(fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
    for (const rules of [undefined, PRUNE]) {
      try {
        parseSectionConfig(pieces.join(""), rules);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
  }));
  assert.throws(() => parseSectionConfig("x".repeat((16 << 20) + 1)), /too long/);
});
