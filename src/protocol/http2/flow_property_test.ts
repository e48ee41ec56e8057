/** Bodies of any sizes pass through windows of any sizes, in both directions at once. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { connectHttp2 } from "./client.ts";
import * as frames from "./frames.ts";
import { serveHttp2 } from "./server.ts";
import { RawPeer, socketPair } from "./testing.ts";

const none = new Uint8Array(0);
const options = fc.record({
  // A window of a few bytes looks like a flood of small updates, and ends the connection as such.
  streamWindow: fc.integer({ min: 1000, max: 200_000 }),
  connectionWindow: fc.integer({ min: 1, max: 300_000 }),
  maxFrameSize: fc.constantFrom(16384, 20_000, 1 << 20),
  maxConcurrentStreams: fc.integer({ min: 1, max: 5 }),
  parallelDownloads: fc.integer({ min: 1, max: 3 }),
  sendBudget: fc.integer({ min: 1, max: 100_000 }),
});
const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(150_000)), { minLength: 1, maxLength: 7 });

Deno.test("no combination of windows, limits and sizes stops or changes a body", async () => {
  await fc.assert(
    fc.asyncProperty(options, options, sizes, fc.boolean(), async (server, client, lengths, late) => {
      const [a, b] = socketPair();
      const serving = serveHttp2(a, none, async (request) => {
        // Bytes that come before their reader wait in the connection.
        if (late) await new Promise((resolve) => setTimeout(resolve, 0));
        const body = await request.body.readAll(1 << 20, 1000, true);
        if (body.length % 2 === 0) return { status: 200, body: body.slice() };
        return {
          status: 200,
          body: (async function* () {
            const copy = body.slice();
            for (let at = 0; at < copy.length; at += 10_000) {
              yield await Promise.resolve(copy.subarray(at, at + 10_000));
            }
          })(),
        };
      }, { ...server, receiveBudget: 2_000_000 });
      const connection = connectHttp2(b, none, {
        streamWindow: client.streamWindow,
        maxFrameSize: client.maxFrameSize,
      });
      await Promise.all(lengths.map(async (length, i) => {
        const body = new Uint8Array(length).fill(i + 1);
        const answer = await connection.request({ method: "POST", path: "/", body });
        assert.equal(answer.body.length, length);
        assert.ok(answer.body.every((octet) => octet === i + 1));
      }));
      await connection.close();
      assert.deepEqual(await serving.closed, { error: undefined });
    }),
    { numRuns: 30 },
  );
});

Deno.test("mutated answers of a server leave the client standing: an answer or an error", async () => {
  const change = fc.tuple(fc.nat(), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 5 }),
      fc.uint8Array({ maxLength: 20 }),
      fc.nat(200),
      async (changes, more, at) => {
        const [a, b] = socketPair();
        const client = connectHttp2(b, none);
        const peer = new RawPeer(a, true);
        const request = client.request({ method: "GET", path: "/" });
        const outcome = request.then(() => "answered", (error) => error instanceof Error ? "refused" : "?");
        const good = concatBytes(
          frames.buildSettings({ maxConcurrentStreams: 5 }),
          frames.buildHeaders(1, peer.encoder.encode([[":status", "200"], ["content-length", "50"]]), false, 16384),
          frames.buildFrame(0, 0, 1, new Uint8Array(25)),
          frames.buildWindowUpdate(0, 100),
          frames.buildFrame(0, 1, 1, new Uint8Array(25)),
          frames.buildGoaway(1, 0),
        );
        const bad = concatBytes(good.subarray(0, at), more, good.subarray(at));
        for (const [place, value] of changes) bad[place % bad.length] = value;
        peer.send(bad);
        await new Promise((resolve) => setTimeout(resolve, 0));
        client.abort();
        assert.ok(["answered", "refused"].includes(await outcome));
        await client.closed;
      },
    ),
    { numRuns: 150 },
  );
});
