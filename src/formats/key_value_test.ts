import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { formatKeyValueConfig, type KeyValueConfig, parseKeyValueConfig } from "./key_value.ts";

const VECTORS = new URL("../../test/vectors/config/", import.meta.url);
const KEYS = new Set([
  "acme",
  ...Array.from({ length: 5 }, (_, i) => `acmedomain${i}`),
  "http-proxy",
  "email-from",
  "ciphers-tls-1.3",
  "ciphers-tls-1.2",
  "default-lang",
  "task-log-max-days",
  "consent-text",
  "location",
]);

function rows(name: string): Record<string, never>[] {
  return Deno.readTextFileSync(new URL(name, VECTORS)).trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("hand-written node.cfg files are read or refused as PBS does", () => {
  let checked = 0;
  for (const row of rows("parse.jsonl") as unknown as { file: string; [key: string]: string | number | object }[]) {
    if (row.file !== "node.cfg") continue;
    checked++;
    const content = row.content as string;
    if (row.status === 200) {
      const { description, values } = parseKeyValueConfig(content, KEYS);
      const found: Record<string, string> = {
        ...Object.fromEntries(values),
        ...(description === undefined ? {} : { description }),
      };
      const { data } = row.answer as { data: Record<string, string> };
      // The quotes of a property string are not this layer's.
      if ("location" in data) found.location = found.location.replaceAll('"', "");
      assert.deepEqual(found, data, String(row.experiment));
    } else if (row.experiment === "empty value") {
      assert.throws(() => parseKeyValueConfig(content, KEYS), /^FormatError: line 0: value .*must/);
    } else {
      assert.throws(() => parseKeyValueConfig(content, KEYS), { message: row.answer as string });
    }
  }
  assert.equal(checked, 14);
});

Deno.test("every node.cfg that a real server wrote is written back byte for byte", () => {
  const texts = [Deno.readTextFileSync(new URL("etc/node.cfg", VECTORS))];
  for (const name of ["changes-create", "changes-create2", "changes-update", "changes-update2"]) {
    for (const row of rows(`${name}.jsonl`)) {
      const files = row.files as unknown as Record<string, { before: string | null; after: string | null }> | undefined;
      for (const text of Object.values(files?.["node.cfg"] ?? {})) if (text !== null) texts.push(text);
    }
  }
  assert.ok(texts.length > 20);
  for (const text of texts) assert.equal(formatKeyValueConfig(parseKeyValueConfig(text, KEYS)), text);
});

Deno.test("a description is written with or without its last line end, an empty one not at all", () => {
  const write = (description: string) => formatKeyValueConfig({ description, values: new Map([["acme", "x"]]) });
  assert.equal(write("# Title\n\n  two"), "## Title\n#\n#  two\nacme: x\n");
  assert.equal(write("one\n"), "#one\nacme: x\n");
  assert.equal(write(""), "acme: x\n");
  assert.equal(parseKeyValueConfig("#a\r\n#b").description, "a\nb\n");
});

Deno.test("what could not be read back is not written", () => {
  for (
    const [key, value] of [["a b", "x"], ["a:b", "x"], ["#a", "x"], ["", "x"], ["a", ""], ["a", " x"], ["a", "x\ny"]]
  ) {
    assert.throws(() => formatKeyValueConfig({ values: new Map([[key, value]]) }), FormatError, `${key}=${value}`);
  }
});

Deno.test("property: a configuration comes back", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replaceAll(/\p{Cc}/gu, ""));
  const config: fc.Arbitrary<KeyValueConfig> = fc.record({
    description: fc.array(line, { minLength: 1, maxLength: 4 }).map((lines) => lines.map((one) => `${one}\n`).join("")),
    values: fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-z][a-z0-9.-]{0,9}$/), line.map((text) => `x${text}y`)), {
      selector: ([key]) => key,
      maxLength: 6,
    }).map((pairs) => new Map(pairs)),
  }, { requiredKeys: ["values"], noNullPrototype: true });
  fc.assert(fc.property(config, (config) => {
    const read = parseKeyValueConfig(formatKeyValueConfig(config));
    assert.equal(read.description, config.description);
    assert.deepEqual(new Map(read.values), new Map([...config.values].sort(([a], [b]) => a < b ? -1 : 1)));
  }));
});

Deno.test("fuzz: any text is a configuration or a FormatError", () => {
  const piece = fc.constantFrom("#", "a", ":", " ", "\n", "\r\n", "\0", "__proto__: x\n", "email-from: a@b.c\n", "é");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece).map((all) => all.join(""))), (text) => {
    for (const keys of [undefined, KEYS]) {
      try {
        const config = parseKeyValueConfig(text, keys);
        parseKeyValueConfig(formatKeyValueConfig(config), keys);
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error));
      }
    }
  }));
  assert.throws(() => parseKeyValueConfig("x".repeat((16 << 20) + 1)), /too long/);
});
