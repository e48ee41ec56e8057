import assert from "node:assert/strict";
import { rowIds, testedIds } from "./rows.ts";

Deno.test("rows are the first column of a table", () => {
  assert.deepEqual(rowIds("| ID | x |\n|---|---|\n| FF-07 | see BP-01 |\n| LI-3 | y |\ntext CL-01 |\n"), [
    "FF-07",
    "LI-3",
  ]);
});

Deno.test("an ID counts in the name of a test, as a range too, and not in a comment or a body", () => {
  const call = "Deno" + ".test";
  const source = `${call}("FF-01 a blob", () => {});\n// ${call}("FF-02 no", f);\n` +
    `${call}({ name: "CL-08…10 list", fn() {} });\nawait t.step(\`BP-03 \${x}\`, f);\nconst a = "FF-99";\n`;
  assert.deepEqual(testedIds(source), ["FF-01", "CL-08", "CL-09", "CL-10", "BP-03"]);
});
