import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { formatPropertyString, parseList, parsePropertyString } from "./property_string.ts";

const parse = (text: string, defaultKey?: string, keys?: string[]) =>
  Object.fromEntries(parsePropertyString(text, { defaultKey, keys }));

Deno.test("property strings as PBS reads and writes them", () => {
  assert.deepEqual(parse("read-only,message=moving%2C%20to new disk", "type"), {
    type: "read-only",
    message: "moving%2C%20to new disk",
  });
  assert.deepEqual(parse("message=only,type=offline", "type"), { message: "only", type: "offline" });
  assert.deepEqual(parse('sync-level="file",chunk-order="inode"'), { "sync-level": "file", "chunk-order": "inode" });
  assert.deepEqual(parse('read-only,message="moving, to \\"new\\" disk"', "type").message, 'moving, to "new" disk');
  assert.deepEqual(parse('name="a\\nb\\\\"'), { name: "a\nb\\" });
  assert.deepEqual(parse(""), {});
  assert.equal(
    formatPropertyString([["message", 'moving, to "new" disk'], ["type", "read-only"], ["x", undefined]], {
      defaultKey: "type",
    }),
    'read-only,message="moving, to \\"new\\" disk"',
  );
  assert.equal(formatPropertyString([["name", "Wien, AT"], ["latitude", 48.2]]), 'name="Wien, AT",latitude=48.2');
});

Deno.test("faults are refused", () => {
  assert.throws(() => parse("name=Wien, AT"), /value without key/);
  assert.throws(() => parse("a,b", "k"), /more than one value/);
  assert.throws(() => parse("a=1,a=2"), /duplicate/);
  assert.throws(() => parse("k=1,x", "k"), /duplicate/);
  assert.throws(() => parse(" sync-level = file", undefined, ["sync-level"]), /' sync-level ': schema does not allow/);
  assert.throws(() => parse('a="b'), /without end/);
  assert.throws(() => parse('a="b"c'), /behind a quoted/);
  assert.throws(() => parse('a="\\t"'), /unknown escape/);
  assert.throws(() => parse("a=1,"), /value without key/);
  assert.throws(() => parse("a=" + "x".repeat(70000)), /too long/);
});

Deno.test("lists are separated by comma, semicolon or white space", () => {
  assert.deepEqual(parseList("a,b;c  d\n,;e"), ["a", "b", "c", "d", "e"]);
  assert.deepEqual(parseList(" ,"), []);
});

Deno.test("property: any values come back", () => {
  const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/);
  const pairs = fc.uniqueArray(fc.tuple(key, fc.string({ unit: "grapheme" })), {
    selector: ([name]) => name,
    maxLength: 6,
  });
  fc.assert(fc.property(pairs, fc.boolean(), (properties, withDefault) => {
    const defaultKey = withDefault ? properties.at(-1)?.[0] : undefined;
    const text = formatPropertyString(properties, { defaultKey });
    assert.deepEqual(parse(text, defaultKey), Object.fromEntries(properties));
  }));
});

Deno.test("fuzz: any text gives properties or a FormatError", () => {
  fc.assert(fc.property(fc.array(fc.constantFrom("a", "=", ",", '"', "\\", " ", "b=c", "n")), (pieces) => {
    try {
      parsePropertyString(pieces.join(""), { defaultKey: "d" });
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }));
});
