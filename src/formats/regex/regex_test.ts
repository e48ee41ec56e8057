import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { Regex } from "./regex.ts";
import { MAX_REGEX_LENGTH } from "./syntax.ts";

Deno.test("expressions match anywhere unless anchored", () => {
  const cases: [string, string, boolean][] = [
    ["", "", true],
    ["^ct/1[0-9]+$", "ct/100", true],
    ["^ct/1[0-9]+$", "ct/2100", false],
    ["1[0-9]{2}", "vm/4104", true],
    ["^(vm|ct)/", "host/vm", false],
    ["^(?:vm|ct)/(?P<id>\\d{3,})$", "vm/12", false],
    ["^(?:vm|ct)/(?P<id>\\d{3,})$", "ct/1234", true],
    ["(?i)SRV", "host/srv1", true],
    ["(?i:S)rv", "host/srv1", true],
    ["(?i:S)RV", "host/srv1", false],
    ["a{2}{2}$", "xaaaa", true],
    ["^a?b*c+?$", "bbcc", true],
    ["\\bweb\\b", "host/web-1", true],
    ["\\Bweb", "host/web-1", false],
    ["^[^/]+$", "vm/1", false],
    ["[]a]", "]", true],
    ["[a-]", "-", true],
    ["[[:alpha:]_]{3}", "12ab_", true],
    ["[[:^digit:]]", "123", false],
    ["\\x41\\u{42}\\.", "AB.", true],
    ["^.$", "😀", true],
    ["^.$", "\n", false],
    ["(?s)^.$", "\n", true],
    ["(?m)^b$", "a\nb\nc", true],
    ["^b$", "a\nb\nc", false],
    ["^\\w+\\s\\pL$", "größe ü", true],
    ["^\\D\\S\\W$", "a5-", true],
    ["|x", "y", true],
    ["(a|b|)c", "c", true],
    ["^[\\d\\-x&]+$", "1-x&", true],
    ["a.c", "a[c", true],
    ["[.]", "x", false],
  ];
  for (const [pattern, text, expected] of cases) {
    assert.equal(new Regex(pattern).test(text), expected, `${pattern} on ${text}`);
  }
});

Deno.test("what the syntax does not have is refused with a reason", () => {
  const bad = ["(", ")", "[", "[z-a]", "*", "a**+{", "a{2,1}", "a{x}", "\\", "\\1", "(?=a)", "(?<!a)", "(?x)a", "\\q"];
  for (const pattern of [...bad, "\\p{Nope}", "[a&&b]", "[[:nope:]", "a{1001}", "(".repeat(200), "\\u{110000}"]) {
    assert.throws(() => new Regex(pattern), (error: Error) => error instanceof FormatError, pattern);
  }
  assert.throws(() => new Regex("a{1000}{1000}"), /too large/);
  assert.throws(() => new Regex("x".repeat(MAX_REGEX_LENGTH + 1)), /too long/);
});

Deno.test("an expression made to search for ever is answered at once", () => {
  const start = performance.now();
  const text = "a".repeat(250);
  for (const pattern of ["^(a+)+$", "^(a|a)*b", "(a*)*b", "(.*a){12}x", "^(a?){250}a{250}b"]) {
    new Regex(pattern).test(`${text}!`);
  }
  assert.ok(performance.now() - start < 2000);
});

const atom = fc.constantFrom("a", "b", "/", ".", "[ab]", "[^a]", "\\d", "^", "$", "\\b", "(a|b)", "(?:b/)");
const pattern = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    atom,
    fc.tuple(tie("node"), tie("node")).map((parts) => parts.join("")),
    fc.tuple(tie("node"), tie("node")).map(([a, b]) => `(?:${a}|${b})`),
    fc.tuple(tie("node"), fc.constantFrom("*", "+", "?", "{2}", "{1,2}", "{0,}", "*?")).map(([a, sign]) =>
      `(?:${a})${sign}`
    ),
  ),
})).node as fc.Arbitrary<string>;

Deno.test("property: the answer is that of the runtime's own engine", () => {
  const text = fc.array(fc.constantFrom("a", "b", "/", "1", " "), { maxLength: 8 }).map((all) => all.join(""));
  fc.assert(
    fc.property(pattern, text, (pattern, text) => {
      assert.equal(new Regex(pattern).test(text), new RegExp(pattern, "u").test(text), `${pattern} on '${text}'`);
    }),
    { numRuns: 1000 },
  );
});

Deno.test("fuzz: any text is an expression that answers, or a FormatError", () => {
  const piece = fc.constantFrom(
    "(",
    ")",
    "[",
    "]",
    "^",
    "-",
    "\\",
    "{",
    "}",
    "2",
    ",",
    "|",
    "?",
    "*",
    "P<n>",
    ":",
    "&&",
    "p{L}",
    "é",
  );
  const texts = fc.oneof(fc.array(piece, { maxLength: 12 }).map((all) => all.join("")), fc.string({ unit: "binary" }));
  fc.assert(
    fc.property(texts, fc.string(), (pattern, text) => {
      try {
        new Regex(pattern).test(text);
      } catch (error) {
        assert.ok(error instanceof FormatError, `${pattern}: ${error}`);
      }
    }),
    { numRuns: 2000 },
  );
});
