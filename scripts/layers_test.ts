import assert from "node:assert/strict";
import { checkLayers, fileOffences, findCycle, importsOf, layerOffence } from "./layers.ts";
import { only } from "./source_files.ts";

Deno.test("an import may point down and stay in the room, not up or to a neighbour", () => {
  assert.equal(layerOffence("src/formats/blob.ts", "src/native/zstd.ts"), undefined);
  assert.equal(layerOffence("src/formats/blob.ts", "src/formats/limits.ts"), undefined);
  assert.match(layerOffence("src/formats/blob.ts", "src/datastore/chunk_store.ts") ?? "", /upward/);
  assert.match(layerOffence("src/archive/walk.ts", "src/datastore/chunk_store.ts") ?? "", /neighbour/);
  assert.match(layerOffence("src/elsewhere/x.ts", "src/base/bytes.ts") ?? "", /no level/);
});

Deno.test("a test beside the source may use the test folder, the source may not", () => {
  assert.equal(layerOffence("src/api/x_test.ts", "test/e2e/harness.ts"), undefined);
  assert.match(layerOffence("src/api/x.ts", "test/e2e/harness.ts") ?? "", /must not import/);
});

Deno.test("imports are found in every form, and not in comments", () => {
  const text =
    'import a from "./a.ts";\nexport * from "./b.ts";\nconst c = await import("./c.ts");\n// from "./d.ts"\n' +
    'import "./e.ts";\nimport type { F } from "./f.ts";\nnew Worker(new URL("./g.ts", import.meta.url));\n';
  assert.deepEqual(importsOf(text).map((found) => found.specifier), [
    "./a.ts",
    "./b.ts",
    "./c.ts",
    "./e.ts",
    "./f.ts",
    "./g.ts",
  ]);
});

Deno.test("a cycle is found and named", () => {
  const graph = new Map([["a", ["b"]], ["b", ["c"]], ["c", ["b"]]]);
  assert.deepEqual(findCycle(graph), ["b", "c", "b"]);
  assert.equal(findCycle(new Map([["a", ["b", "c"]], ["b", ["c"]], ["c", []]])), undefined);
});

Deno.test("the word any counts as a type only in code", () => {
  assert.deepEqual(
    fileOffences(
      "src/x.ts",
      '// any\nconst s = "x: any";\nconst t = `a ${s} : any`;\nif (any(s)) {}\nconst { b, any } = c;\n',
    ),
    [],
  );
  assert.equal(
    fileOffences("src/x.ts", "const a: any = 1;\nfunction f(b: Array<any>) {}\nx as any;\ntype M = Map<string, any>;\n")
      .length,
    4,
  );
  assert.deepEqual(fileOffences("src/native/x.ts", "const a: any = 1;\n"), []);
});

Deno.test("long files and reminders without an issue are refused", () => {
  assert.equal(fileOffences("src/x.ts", "\n".repeat(551)).length, 1);
  assert.equal(fileOffences("src/x.ts", `// TO${"DO"}: later\n`).length, 1);
  assert.deepEqual(fileOffences("src/x.ts", `// TO${"DO"}(#12): later\n`), []);
});

Deno.test("blanking keeps offsets, also around regular expressions and templates", () => {
  const text = 'const r = /[/"]/g; const t = `a${ { b: 1 }.b }c`; // d\nlet e = 4 / 2 / 1;\n';
  const code = only(text, ["code"]);
  assert.equal(code.length, text.length);
  assert.match(code, /let e = 4 \/ 2 \/ 1;/);
  assert.match(code, /\{ b: 1 \}\.b/);
  assert.doesNotMatch(code, /d|"/);
});

Deno.test("the checkout keeps the rules", () => {
  assert.deepEqual(checkLayers(), []);
});
