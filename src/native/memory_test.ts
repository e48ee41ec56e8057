import assert from "node:assert/strict";
import { keepFreedBuffers } from "./memory.ts";

/** Page faults of this process so far. */
function pageFaults(): number {
  const fields = Deno.readTextFileSync("/proc/self/stat").replace(/^.*\) /, "").split(" ");
  return Number(fields[7]);
}

Deno.test("buffers that were given back are used again without fresh pages", () => {
  const use = () => {
    const before = pageFaults();
    for (let i = 0; i < 5; i++) new Uint8Array(40 * 1024 * 1024).fill(1).buffer.transfer(0);
    return pageFaults() - before;
  };
  assert.equal(keepFreedBuffers(), true);
  use();
  assert.ok(use() < 5 * 1024, "each of five buffers has 10240 pages");
});
