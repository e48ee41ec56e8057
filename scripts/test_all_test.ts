import assert from "node:assert/strict";
import { readJunit } from "./test_all.ts";

Deno.test("a report's passed, failed and skipped cases are counted", () => {
  const xml = `<?xml version="1.0"?><testsuites name="deno test" tests="4" failures="1" errors="0">
    <testsuite name="./a.ts" tests="4" disabled="1" errors="0" failures="1">
      <testcase name="one" classname="./a.ts" time="0.001" line="1" col="6">
      </testcase>
      <testcase name="two" classname="./a.ts"><skipped/></testcase>
      <testcase name="three" classname="./a.ts"><failure message="Uncaught">x &lt;testcase&gt;</failure></testcase>
      <testcase name="four" classname="./a.ts"/>
    </testsuite></testsuites>`;
  assert.deepEqual(readJunit(xml), { passed: 2, failed: 1, skipped: 1, failedNames: ["three"] });
  assert.equal(readJunit(""), undefined);
});
