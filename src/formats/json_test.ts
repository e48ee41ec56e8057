import assert from "node:assert/strict";
import fc from "fast-check";
import { mutations } from "../../test/mutate.ts";
import { compareBytes } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";

import { canonicalJson, type JsonValue, parseJsonObject, prettyJson } from "./json.ts";
import { jsonFault } from "./json_fault.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("canonical JSON sorts by UTF-8 bytes and escapes only what it must", () => {
  // In UTF-16 the surrogates of U+10000 sort before U+FF5E, in UTF-8 behind it; "10" sorts before "9".
  assert.equal(
    canonicalJson({ "\u{10000}": 1, "～": 2, "9": 3, "10": 4, "b": [true, false, "x"], "a": {} }),
    '{"10":4,"9":3,"a":{},"b":[true,false,"x"],"～":2,"\u{10000}":1}',
  );
  assert.equal(
    canonicalJson('"\\/\b\t\n\f\r\u0000\u001f\u007fäöü€\u2028'),
    '"\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\u007fäöü€\u2028"',
  );
  assert.equal(canonicalJson([0, -0, -7, Number.MAX_SAFE_INTEGER]), "[0,0,-7,9007199254740991]");
});

Deno.test("canonical JSON refuses null, fractions, inexact integers and lone surrogates", () => {
  for (const value of [null, [null], { a: null }, 0.5, 2 ** 53, NaN, "\ud800", { "\udc00": 1 }] as JsonValue[]) {
    assert.throws(() => canonicalJson(value), FormatError);
  }
});

Deno.test("both forms parse to the same value whatever the order of members", () => {
  fc.assert(fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), fc.jsonValue()), (object) => {
    const value = JSON.parse(JSON.stringify(object));
    const reversed = Object.fromEntries(Object.entries(value).reverse()) as Record<string, JsonValue>;
    assert.equal(prettyJson(value), prettyJson(reversed));
    assert.deepEqual(JSON.parse(prettyJson(value)), value);
  }));
  fc.assert(
    fc.property(
      fc.dictionary(
        fc.string({ unit: "grapheme" }),
        fc.oneof(fc.integer(), fc.boolean(), fc.string({ unit: "grapheme" })),
      ),
      (value) => {
        const text = canonicalJson(value);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
        const names = [...Object.keys(value)].map(utf8).sort(compareBytes).map((name) =>
          new TextDecoder().decode(name)
        );
        let at = 0;
        for (const name of names) {
          at = text.indexOf(`${JSON.stringify(name)}:`, at);
          assert.ok(at >= 0);
        }
      },
    ),
  );
});

Deno.test("pretty JSON is what the runtime prints for sorted members", () => {
  const value = { a: [], b: {}, c: [1, { d: null, e: "x" }], f: 0.5 };
  assert.equal(prettyJson(value), JSON.stringify(value, null, 2));
});

Deno.test("what is no object, no UTF-8, too large or too deep is refused", () => {
  const parse = (text: Uint8Array | string) => parseJsonObject(text, "test", 100_000);
  const deep = (depth: number) => `{"a":${"[".repeat(depth)}${"]".repeat(depth)}}`;
  assert.deepEqual(parse(utf8('{"a":1}')), { a: 1 });
  parse(deep(90));
  for (
    const text of [
      "",
      "[]",
      "null",
      '"x"',
      "{",
      '{"a":1}x',
      '\ufeff{"a":1}',
      deep(101),
      deep(40_000),
      " ".repeat(100_001),
    ]
  ) {
    assert.throws(() => parse(text), FormatError, text.slice(0, 20));
    assert.throws(() => parse(utf8(text)), FormatError, text.slice(0, 20));
  }
  assert.throws(() => parse(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)), /not valid UTF-8/);
});

Deno.test("a member named __proto__ is an ordinary member", () => {
  const value = parseJsonObject('{"__proto__":{"a":1},"b":2}', "test", 100);
  assert.equal(canonicalJson(value), '{"__proto__":{"a":1},"b":2}');
});

Deno.test("the fault in a text that is not JSON is named by its place", () => {
  const faults: [string, number][] = [["{", 1], ['{"ä": x}', 7], ['{"a":1,}', 7], ["[1 2]", 3], ['{"a" 1}', 5], [
    "{1:2}",
    1,
  ]];
  for (
    const [text, offset] of [...faults, ["tru", 0], ['{"a":[]]', 7], ["{} {}", 3], ['["\\x"]', 1], ["[01]", 2]] as const
  ) {
    assert.throws(
      () => parseJsonObject(text, "test", 100),
      (error) => error instanceof FormatError && error.offset === offset,
      text,
    );
  }
});

Deno.test("the runtime's parser and the search for the fault agree on what is JSON", () => {
  const good = utf8('{"a":[1,-2.5e3,true,false,null,"x\\u00e4\\n",{}],"b":{"c":"d"}} ');
  for (const bytes of mutations(good, 3000)) {
    const text = new TextDecoder().decode(bytes);
    let valid = true;
    try {
      JSON.parse(text);
    } catch {
      valid = false;
    }
    const fault = jsonFault(text);
    assert.ok(fault <= text.length);
    if (valid) assert.equal(fault, text.length, text);
    else assert.throws(() => JSON.parse(text.slice(0, fault + 1)), SyntaxError);
  }
});
