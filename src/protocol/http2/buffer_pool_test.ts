import assert from "node:assert/strict";
import { BufferPool } from "./buffer_pool.ts";

const MIB = 1024 * 1024;

Deno.test("memory given back serves the next buffer of its size, once", () => {
  const pool = new BufferPool(64 * MIB);
  const first = pool.take(4 * MIB + 12);
  assert.ok(first.length >= 4 * MIB + 12);
  pool.give(first.subarray(5, 10));
  pool.give(first);
  const second = pool.take(3 * MIB);
  assert.equal(second.buffer, first.buffer);
  assert.notEqual(pool.take(3 * MIB).buffer, first.buffer);
});

Deno.test("memory from elsewhere, small buffers and what is beyond the capacity are not kept", () => {
  const pool = new BufferPool(5 * MIB);
  const foreign = new Uint8Array(4 * MIB + 65536);
  pool.give(foreign);
  assert.notEqual(pool.take(4 * MIB).buffer, foreign.buffer);
  const small = pool.take(1000);
  assert.equal(small.length, 1000);
  pool.give(small);
  assert.notEqual(pool.take(1000).buffer, small.buffer);
  const [a, b] = [pool.take(4 * MIB), pool.take(4 * MIB)];
  pool.give(a);
  pool.give(b);
  const again = [pool.take(4 * MIB), pool.take(4 * MIB)];
  assert.equal(again[0].buffer, a.buffer);
  assert.notEqual(again[1].buffer, b.buffer);
});
