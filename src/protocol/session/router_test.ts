import assert from "node:assert/strict";
import fc from "fast-check";
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { integer, list, sha256Hex } from "../../config/schema/mod.ts";
import type { Http2Request } from "../http2/types.ts";
import { call, dataCall, RawAnswer, routeOf, sessionHandler } from "./router.ts";

function requestOf(method: string, path: string, type?: string, body = new Uint8Array(0)): Http2Request {
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

const appendParameters = z.object({ wid: integer(1, 256), "digest-list": list(sha256Hex()) });

function makeHandler(lines: string[] = []) {
  return sessionHandler(
    {
      "PUT append": call(appendParameters, (given) => given),
      "POST raw": dataCall(
        z.object({ size: integer(1).optional() }),
        async (given, body) => [given, await body.discard()],
      ),
      "GET raw": dataCall(z.object({}), () => new RawAnswer(new Uint8Array([1, 2]))),
      "GET broken": call(z.object({}), () => {
        throw new TypeError("secret detail");
      }),
    },
    { line: (text) => lines.push(text) },
    1,
  );
}

async function answerOf(request: Http2Request, lines?: string[]): Promise<{ status: number; text: string }> {
  const { status, body } = await makeHandler(lines)(request);
  assert.ok(body instanceof Uint8Array);
  return { status, text: new TextDecoder().decode(body) };
}

Deno.test("routes drop empty components, decode, and refuse dots", () => {
  assert.equal(routeOf("//a///b/"), "a/b");
  assert.equal(routeOf("/%61%2fb"), "a/b");
  assert.equal(routeOf("/"), "");
  assert.throws(() => routeOf("/.x"), /illegal components/);
  assert.throws(() => routeOf("/%2e%2e/x"), /illegal components/);
  assert.throws(() => routeOf("/%zz"), /percent encoding/);
});

Deno.test("parameters come from query and form together, or from JSON alone", async () => {
  const digest = "ab".repeat(32);
  const query = `/append?wid=3&digest-list=${digest}&digest-list=${digest}`;
  const expected = JSON.stringify({ data: { wid: 3, "digest-list": [digest, digest] } });
  assert.equal((await answerOf(requestOf("PUT", query))).text, expected);
  const form = new TextEncoder().encode(`wid=3&digest-list=${digest}`);
  const type = "application/x-www-form-urlencoded; charset=utf-8";
  assert.equal((await answerOf(requestOf("PUT", `/append?digest-list=${digest}`, type, form))).text, expected);
  const json = new TextEncoder().encode(JSON.stringify({ wid: 3, "digest-list": [digest, digest] }));
  const fromJson = await answerOf(requestOf("PUT", "/append?wid=9", "application/json", json));
  assert.deepEqual(JSON.parse(fromJson.text), JSON.parse(expected));
  const both = await answerOf(requestOf("PUT", `/append?wid=4&digest-list=${digest}`, type, form));
  assert.match(both.text, /'wid': duplicate parameter/);
  const large = requestOf("PUT", "/append", "application/json", new Uint8Array(600_000).fill(32));
  assert.equal((await answerOf(large)).status, 400);
});

Deno.test("errors are plain text with their status and a line in the log; inner faults stay inside", async () => {
  const lines: string[] = [];
  assert.deepEqual(await answerOf(requestOf("GET", "/nothing"), lines), {
    status: 404,
    text: "Path '/nothing' not found.",
  });
  assert.equal((await answerOf(requestOf("DELETE", "/raw"), lines)).status, 404);
  assert.equal((await answerOf(requestOf("GET", "/constructor"), lines)).status, 404);
  assert.deepEqual(await answerOf(requestOf("GET", "/broken"), lines), { status: 500, text: "internal error" });
  assert.equal(lines[0], "GET /nothing: 404: Path '/nothing' not found.");
  assert.match(lines.at(-1) ?? "", /secret detail/);
  const { text } = await answerOf(requestOf("GET", "/"));
  assert.deepEqual(JSON.parse(text).data.map(({ subdir }: { subdir: string }) => subdir), ["append", "broken", "raw"]);
});

Deno.test("no request text makes the router throw or hang", async () => {
  const part = fc.string({ unit: "binary", maxLength: 40 });
  const type = fc.constantFrom(undefined, "application/json", "application/x-www-form-urlencoded", "text/plain", "é");
  const path = fc.oneof(part.map((text) => `/append?${text}`), part.map((text) => `/${text}`), part);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom("GET", "PUT", "POST", "X"),
      path,
      type,
      fc.uint8Array({ maxLength: 60 }),
      async (method, path, type, body) => {
        const { status } = await makeHandler()(requestOf(method, path, type, new Uint8Array(body)));
        assert.ok([200, 400, 404].includes(status) || path.startsWith("/broken"));
      },
    ),
    { numRuns: 200 },
  );
});
