/** Recorded requests in any order, with mutated paths and bodies: no inner fault, no crash, and nothing left at the end. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { addSnapshot, makeTestStore } from "../../datastore/testing.ts";
import { DozoError } from "../../base/errors.ts";
import type { Http2Request } from "../http2/types.ts";
import { sessionHandler } from "../session/router.ts";
import { backupCalls } from "./calls.ts";
import { SessionState } from "./session_state.ts";

interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly type?: string;
  readonly body: Uint8Array<ArrayBuffer>;
}

async function recordedRequests(): Promise<Recorded[]> {
  const text = await Deno.readTextFile(new URL("../../../test/vectors/wire/backup.jsonl", import.meta.url));
  const lines = text.trim().split("\n").map((line) => JSON.parse(line)).filter(({ step }) => step > 0);
  return lines.map((line) => ({
    method: line.method,
    path: line.path,
    type: line["content-type"],
    body: line.req_hex !== undefined
      ? Uint8Array.fromHex(line.req_hex)
      : new TextEncoder().encode(line.req_body ?? JSON.stringify(line.req_json) ?? ""),
  }));
}

function requestOf({ method, path, type, body }: Recorded): Http2Request {
  return {
    method,
    path,
    headers: new Map(type === undefined ? [] : [["content-type", type]]),
    body: {
      readAll: (limit) =>
        body.length > limit ? Promise.reject(new DozoError("too large")) : Promise.resolve(body.slice()),
      discard: () => Promise.resolve(body.length),
    },
    signal: new AbortController().signal,
  };
}

/** Replaces, cuts or doubles a piece of a path. */
function mutatePath(path: string, at: number, how: number): string {
  const position = at % (path.length + 1);
  const head = path.slice(0, position);
  const tail = path.slice(position);
  return [head + tail, head, `${head}&${tail}`, `${head}%${tail}`, `${head}9${tail}`, head + tail.slice(1)][how % 6];
}

function mutateBody(body: Uint8Array<ArrayBuffer>, at: number, how: number): Uint8Array<ArrayBuffer> {
  if (how % 3 === 0 || body.length === 0) return body;
  if (how % 3 === 1) return body.slice(0, at % body.length);
  const copy = body.slice();
  copy[at % body.length] ^= 1 << (how % 8);
  return copy;
}

Deno.test("no sequence of recorded and mutated requests breaks a session or leaves something behind", async () => {
  const requests = await recordedRequests();
  const test = await makeTestStore();
  const group = { ns: "", type: "host", id: "h1" } as const;
  await addSnapshot(test.store, { ...group, time: 1000 });
  const step = fc.record({
    which: fc.nat(requests.length - 1),
    at: fc.nat(400),
    path: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(5)),
    body: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(23)),
    together: fc.boolean(),
  });
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const writer = await test.store.beginBackup({ snapshot: { ...group, time: 2000 }, caller: "alice@pbs" });
        const state = new SessionState();
        const parts = { state, writer, chunks: test.store.chunks, log: { line: () => {} } };
        const handler = sessionHandler(backupCalls(parts), parts.log, 0);
        let running: Promise<unknown>[] = [];
        for (const { which, at, path, body, together } of steps) {
          const request = requests[which];
          const answer = Promise.resolve(handler(requestOf({
            ...request,
            path: mutatePath(request.path, at, path),
            body: mutateBody(request.body, at, body),
          }))).then(({ status }) => assert.ok([200, 400, 404].includes(status), `${status} for ${request.path}`));
          running.push(answer);
          if (!together) {
            await Promise.all(running);
            running = [];
          }
        }
        await Promise.all(running);
        await writer.abort();
        if (state.finished) await test.store.snapshots.forget({ ...group, time: 2000 });
        assert.deepEqual(await test.store.snapshots.times(group), [{ time: 1000, finished: true }]);
      }),
      { numRuns: 60 },
    );
    assert.equal(await test.store.oldestWriter(), undefined);
  } finally {
    await test.cleanUp();
  }
});
