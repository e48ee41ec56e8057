import assert from "node:assert/strict";
import { inParallel } from "./parallel.ts";

const turn = () => new Promise((resolve) => setTimeout(resolve, 0));

Deno.test("work in parallel reaches every item, never more than the limit at a time", async () => {
  let running = 0;
  let most = 0;
  const seen: number[] = [];
  await inParallel(Array.from({ length: 20 }, (_, i) => i), 3, async (i) => {
    most = Math.max(most, ++running);
    await turn();
    seen.push(i);
    running--;
  });
  assert.equal(most, 3);
  assert.deepEqual(seen.sort((a, b) => a - b), Array.from({ length: 20 }, (_, i) => i));
});

Deno.test("a failure in parallel work stops the start of more and waits for what runs", async () => {
  let started = 0;
  let ended = 0;
  const run = inParallel(Array.from({ length: 100 }, (_, i) => i), 4, async (i) => {
    started++;
    await turn();
    ended++;
    if (i === 5) throw new Error("five");
  });
  await assert.rejects(run, /five/);
  assert.equal(started, ended);
  assert.ok(started < 20);
});

Deno.test("an iterator that fails ends parallel work", async () => {
  function* broken() {
    yield 1;
    throw new Error("no more");
  }
  await assert.rejects(inParallel(broken(), 2, async () => void await turn()), /no more/);
});
