import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { lastMatch, parsePattern, parsePatternFile, type Pattern } from "./pattern.ts";

const readJson = (name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`../../test/vectors/${name}`, import.meta.url)));
const bytes = (text: string) => new TextEncoder().encode(text);
const matches = (pattern: string, path: string) => parsePattern(pattern).matches(bytes(path));
const fileOf = (directory: string, ...lines: string[]) => parsePatternFile(bytes(lines.join("\n")), directory);

type Tree = { path: string; type: string }[];

/** What a walker keeps of `tree`, with the given pattern files (path of the directory → content). */
function kept(tree: Tree, files: Record<string, string>, first: Pattern[] = []): string[] {
  const result: string[] = [];
  const visit = (directory: string, inherited: Pattern[]) => {
    const own = files[directory] === undefined ? [] : parsePatternFile(bytes(files[directory]), directory).patterns;
    const list = [...inherited, ...own];
    for (const { path, type } of tree) {
      if (path === "/" || path.slice(0, path.lastIndexOf("/")) !== directory) continue;
      if (lastMatch(list, bytes(path), type === "directory") === "exclude") continue;
      result.push(path);
      if (type === "directory") visit(path, list);
    }
  };
  visit("", first);
  return result;
}

Deno.test("CL-65 the specification's list of patterns and paths", () => {
  const vectors = readJson("spec/test-vectors.json").patterns_floating;
  for (const { pattern, path, match } of vectors) assert.equal(matches(pattern, path), match, `${pattern} ${path}`);
});

Deno.test("CL-65 star, question mark, sets, escapes and double star", () => {
  const yes: [string, string][] = [
    ["*", "/"],
    ["a*c", "/ac"],
    ["a*c*e", "/abcde"],
    ["a***/c", "/ab/c"],
    ["/a/***/c", "/a/x/y/c"],
    ["**/*.tmp", "/x/y/z.tmp"],
    ["**/*.tmp", "/z.tmp"],
    ["/**/c", "/c"],
    ["**", "/a/b"],
    ["[a-cx]", "/b"],
    ["[]]", "/]"],
    ["[]a]", "/a"],
    ["[^]]", "/a"],
    ["[a-]", "/-"],
    ["[\\]]", "/]"],
    ["[\\^a]", "/^"],
    ["[a^]", "/^"],
    ["[[:upper:][:digit:]_]", "/_"],
    ["\\[a]", "/[a]"],
    ["\\a", "/a"],
    ["a\\*b", "/a*b"],
    ["caf\u00e9", "/caf\u00e9"],
    ["f??o", "/f\u00e9o"],
    ["!", "/!"].map((text) => text.replace(/^!$/, "\\!")) as [string, string],
  ];
  const no: [string, string][] = [
    ["a*c", "/ab/c"],
    ["f?o", "/f\u00e9o"],
    ["[z-a]", "/m"],
    ["[^a-z]", "/m"],
    ["[[:alpha:]]", "/1"],
    ["\\*", "/a"],
    ["a", "/A"],
    ["/a/**", "/ab"],
    ["a/**/b", "/ab"],
    ["x**y", "/x/y"],
    ["**/a", "/aa"],
    ["/x/**/a", "/x/y/ba"],
    ["foo", "/foo/bar"],
  ];
  for (const [pattern, path] of yes) assert.ok(matches(pattern, path), `${pattern} should match ${path}`);
  for (const [pattern, path] of no) assert.ok(!matches(pattern, path), `${pattern} should not match ${path}`);
});

Deno.test("every character class", () => {
  const members: Record<string, string> = {
    alnum: "aZ9",
    alpha: "aZ",
    blank: " \t",
    cntrl: "\x01\x7f",
    digit: "09",
    graph: "!~",
    lower: "az",
    print: " ~",
    punct: "!@[`~",
    space: " \t\v",
    upper: "AZ",
    xdigit: "09afAF",
  };
  for (const [name, characters] of Object.entries(members)) {
    for (const character of characters) {
      assert.ok(matches(`[[:${name}:]]`, `/${character}`), `${name} ${character}`);
      assert.ok(!matches(`[^[:${name}:]]`, `/${character}`), `not ${name} ${character}`);
    }
    assert.ok(!matches(`[[:${name}:]]`, "/\x00\x80"), name);
  }
});

Deno.test("patterns that cannot be are refused with a reason", () => {
  const cases: [string, RegExp][] = [
    ["a\\", /backslash \(at offset 1\)/],
    ["x[a", /'\[' without '\]' \(at offset 1\)/],
    ["[", /without/],
    ["[]", /without/],
    ["[a\\", /without/],
    ["[a-", /without/],
    ["[[:foo:]]", /unknown class/],
    ["[[:alpha]]", /unknown class/],
    ["[[:toString:]]", /unknown class/],
    ["", /empty/],
    ["!", /empty/],
    ["/", /empty/],
    ["x".repeat(4097), /longer than 4096/],
  ];
  for (const [pattern, message] of cases) {
    assert.throws(
      () => parsePattern(pattern),
      (error: Error) => error instanceof FormatError && message.test(error.message),
    );
  }
});

Deno.test("CL-60 pattern files: comments, blank lines and outer white space", () => {
  const { patterns, problems } = fileOf("/", "# comment", "", "  *.tmp  \t", "\r", "a b", "[oops", "/", "  # not", "!");
  assert.deepEqual(patterns.map((pattern) => new TextDecoder().decode(pattern.text)), ["*.tmp", "a b"]);
  assert.deepEqual(problems.map((problem) => problem.split(":")[0]), ["line 6", "line 7", "line 9"]);
  assert.throws(() => parsePatternFile(new Uint8Array((1 << 20) + 1), "/"), /longer than/);
});

Deno.test("CL-61 an exclamation mark includes again, on the command line it turns the kind round", () => {
  const { patterns } = fileOf("", "*.log", "!keep.log");
  assert.equal(lastMatch(patterns, bytes("/x.log"), false), "exclude");
  assert.equal(lastMatch(patterns, bytes("/keep.log"), false), "include");
  assert.equal(parsePattern("!x").kind, "include");
  assert.equal(parsePattern("!x", { kind: "include" }).kind, "exclude");
});

Deno.test("CL-62 a trailing slash matches directories only, and asks for the type only then", () => {
  const { patterns } = fileOf("/", "foo/");
  assert.equal(lastMatch(patterns, bytes("/foo"), false), undefined);
  assert.equal(lastMatch(patterns, bytes("/foo"), true), "exclude");
  let asked = 0;
  const type = () => ++asked > 0;
  lastMatch(patterns, bytes("/bar"), type);
  assert.equal(asked, 0);
  assert.equal(lastMatch([...patterns, ...patterns], bytes("/foo"), type), "exclude");
  assert.equal(asked, 1);
});

Deno.test("CL-63 CL-64 a leading slash ties a pattern to the directory of its file", () => {
  const { patterns } = fileOf("/sub/dir", "/file1", "/a/*.c");
  assert.equal(lastMatch(patterns, bytes("/sub/dir/file1"), false), "exclude");
  assert.equal(lastMatch(patterns, bytes("/sub/dir/a/x.c"), false), "exclude");
  for (const path of ["/file1", "/sub/file1", "/sub/dir/deep/file1", "/other/sub/dir/file1", "/sub/dir/a/b/x.c"]) {
    assert.equal(lastMatch(patterns, bytes(path), false), undefined, path);
  }
  const floating = fileOf("/sub/dir", "file1").patterns;
  assert.equal(lastMatch(floating, bytes("/sub/dir/deep/file1"), false), "exclude");
});

Deno.test("a directory whose name looks like a pattern stands for itself", () => {
  const { patterns, problems } = fileOf("/odd[*?\\", "/x");
  assert.deepEqual(problems, []);
  assert.equal(lastMatch(patterns, bytes("/odd[*?\\/x"), false), "exclude");
  assert.equal(lastMatch(patterns, bytes("/odd[ab\\/x"), false), undefined);
});

Deno.test("patterns of files are normalised as paths", () => {
  const { patterns } = fileOf("/d", "//a///./b/../c//", "./x", "/../y");
  assert.deepEqual(patterns.map((pattern) => new TextDecoder().decode(pattern.text)), ["/d/a/c", "x", "/d/y"]);
  assert.deepEqual(patterns.map((pattern) => pattern.directoriesOnly), [true, false, false]);
});

Deno.test("CL-66 the last match decides: order, and deeper files after upper ones", () => {
  const upper = fileOf("", "*.log").patterns;
  const deeper = fileOf("/d", "!*.log").patterns;
  assert.equal(lastMatch([...upper, ...deeper], bytes("/d/x.log"), false), "include");
  assert.equal(lastMatch([...deeper, ...upper], bytes("/d/x.log"), false), "exclude");
});

Deno.test("CL-67 CL-68 the tree that the established client archived", () => {
  const { sources, archives } = readJson("pxar/small.json");
  const tree: Tree = sources.exclude.filter((entry: { path: string }) => entry.path !== "/.pxarexclude-cli");
  const files = { "": "# comment\n\n  *.tmp  \n!keep.tmp\n/top\nonlydir/\n", "/scoped": "secret\n/own\n" };
  const expected = (name: string) =>
    archives.find((archive: { name: string }) => archive.name === name).pxar_list
      .map((line: string) => line.slice(1, -1)).filter((path: string) => path !== "/" && path !== "/.pxarexclude-cli");
  assert.deepEqual(kept(tree, files), expected("exclude"));
  const options = ["*.log", "!logs/b.log", "sub/", "/scoped/in/own"].map((text) => parsePattern(text));
  assert.deepEqual(kept(tree, files, options), expected("exclude-cli"));
});

Deno.test("CL-69 the manual's example keeps exactly the files it says", () => {
  const tree: Tree = [{ path: "/.pxarexclude", type: "file" }];
  for (const directory of ["/subfolder0", "/subfolder1"]) {
    tree.push({ path: directory, type: "directory" });
    for (const file of ["file0", "file1", "file2", "file3"]) tree.push({ path: `${directory}/${file}`, type: "file" });
  }
  tree.push({ path: "/subfolder0/.pxarexclude", type: "file" });
  const files = { "": "/subfolder0/file1\n/subfolder1/*\n!/subfolder1/file2\n", "/subfolder0": "file3\n" };
  assert.deepEqual(kept(tree, files).sort(), [
    "/.pxarexclude",
    "/subfolder0",
    "/subfolder0/.pxarexclude",
    "/subfolder0/file0",
    "/subfolder0/file2",
    "/subfolder1",
    "/subfolder1/file2",
  ]);
});

Deno.test("names are bytes: what is not UTF-8 matches too", () => {
  const pattern = parsePattern(Uint8Array.of(0xff, 0x2a));
  assert.ok(pattern.matches(Uint8Array.of(0x2f, 0xff, 0x0a, 0xfe)));
  assert.ok(!pattern.matches(Uint8Array.of(0x2f, 0xfe)));
});

Deno.test("an anchored pattern tells which directories are worth searching", () => {
  const pattern = parsePattern("/a/b*/c", { kind: "include" });
  for (const directory of ["", "/a", "/a/bx"]) assert.ok(pattern.canMatchBelow(bytes(directory)), directory);
  for (const directory of ["/b", "/a/c", "/a/bx/c", "/a/bx/d"]) {
    assert.ok(!pattern.canMatchBelow(bytes(directory)), directory);
  }
  assert.ok(parsePattern("/a/**", { kind: "include" }).canMatchBelow(bytes("/a/x/y")));
  assert.ok(parsePattern("x").canMatchBelow(bytes("/anything")));
});

Deno.test("no pattern takes long", () => {
  const path = bytes("/" + "a".repeat(800));
  const started = performance.now();
  for (
    const hostile of [
      "*a".repeat(200) + "b",
      "**/".repeat(1300) + "b",
      "/" + "**/".repeat(1300) + "b",
      "[^/]*".repeat(300) + "b",
    ]
  ) {
    assert.ok(!parsePattern(hostile).matches(path));
  }
  assert.ok(performance.now() - started < 10000);
});

const piece = fc.constantFrom("a", "b", "/", "*", "**", "?", "[a]", "[^b]", "\\a", "[a-b]");
const route = fc.array(fc.constantFrom("a", "b", "/", "c"), { maxLength: 10 }).map((parts) =>
  `/${parts.join("")}`.replaceAll(/\/+/g, "/")
);

/** A direct, slow reading of the table in spec/pxar.md §11.4. */
function slow(pattern: string, path: string): boolean {
  const source = pattern.replace(/\/+$/, "").replaceAll(
    /\\(.)|\*+|\?|\[(\^?)([^\]]*)\]|[^]/g,
    (text, escape, caret, set, at, whole) => {
      if (escape) return escape;
      if (set !== undefined && text.length > 2) return `[${caret}${set}]`;
      if (text === "?") return "[^/]";
      if (!text.startsWith("*")) return text;
      const alone = (at === 0 || whole[at - 1] === "/") &&
        (at + text.length === whole.length || whole[at + text.length] === "/");
      if (text.length === 1 || !alone) return "[^/]*";
      return "\u0001";
    },
  ).replaceAll("\u0001/", "(?:[^]*/)?").replaceAll("\u0001", "[^]*");
  const expression = new RegExp(`^(?:${source})$`);
  for (let at = 0; at >= 0; at = path.indexOf("/", at) + 1 || -1) if (expression.test(path.slice(at))) return true;
  return false;
}

Deno.test("property: globs match what their definition says", () => {
  fc.assert(
    fc.property(fc.array(piece, { minLength: 1, maxLength: 7 }), route, (pieces, path) => {
      const pattern = pieces.join("");
      if (/^\/*$/.test(pattern) || pattern.startsWith("!")) return;
      assert.equal(matches(pattern, path), slow(pattern, path), `${pattern} ${path}`);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("fuzz: any bytes are a pattern or a FormatError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.constantFrom(..."[]^-\\:*!/#a \n")), (raw, marks) => {
      const content = new Uint8Array([...raw, ...bytes(marks.join(""))]);
      for (const pattern of parsePatternFile(content, "/d").patterns) pattern.matches(bytes("/d/a/b"));
      try {
        parsePattern(content).matches(raw);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
  );
});
