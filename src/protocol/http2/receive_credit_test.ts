import assert from "node:assert/strict";
import fc from "fast-check";
import { Http2Error } from "./errors.ts";
import { ReceiveCredit } from "./receive_credit.ts";

const creditOf = (connectionWindow: number, receiveBudget: number) =>
  new ReceiveCredit(65535, { connectionWindow, receiveBudget, receiveLimit: 2.5 * receiveBudget });
const never = () => false;

Deno.test("the window grows to its target at once and shrinks as bytes are held", () => {
  const credit = creditOf(1_000_000, 2_000_000);
  assert.equal(credit.grant(never), 1_000_000 - 65535);
  credit.receive(900_000);
  assert.equal(credit.grant(() => true), 900_000);
  credit.receive(1_000_000);
  assert.equal(credit.grant(() => true), 100_000);
  credit.receive(100_000);
  assert.equal(credit.grant(() => true), 0);
  credit.release(600_000);
  assert.equal(credit.grant(() => true), 600_000);
});

Deno.test("more than the window is an error of the connection", () => {
  const credit = creditOf(65535, 100_000);
  credit.receive(65535);
  assert.throws(() => credit.receive(1), (error) => error instanceof Http2Error && error.code === 3);
});

Deno.test("whatever happens, the peer is never stuck unless requests are worked on, and memory stays below the cap", () => {
  const step = fc.record({ receive: fc.nat(100), release: fc.nat(100), working: fc.boolean() });
  fc.assert(
    fc.property(fc.integer({ min: 65535, max: 10_000_000 }), fc.array(step, { maxLength: 60 }), (target, steps) => {
      const budget = 2 * target;
      const credit = creditOf(target, budget);
      let window = 65535;
      try {
        window += credit.grant(never);
        for (const { receive, release, working } of steps) {
          const bytes = Math.floor((window * receive) / 100);
          credit.receive(bytes);
          window -= bytes;
          credit.release(Math.floor((credit.held * release) / 100));
          window += credit.grant(() => working);
          assert.ok(window > 0 || working, "the peer is stuck");
          assert.ok(window <= Math.max(target, 65535));
          assert.ok(credit.held <= 2.5 * budget);
        }
      } catch (error) {
        assert.ok(error instanceof Http2Error && error.code === 11, String(error));
        assert.ok(credit.held > budget);
      }
    }),
  );
});
