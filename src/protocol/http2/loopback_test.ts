/** Our client and our server against each other. */
import assert from "node:assert/strict";
import { DozoError } from "../../base/errors.ts";
import { connectHttp2 } from "./client.ts";
import { Http2Error } from "./errors.ts";
import { serveHttp2 } from "./server.ts";
import { socketPair } from "./testing.ts";
import type { ClientConnection, Http2Handler, Http2Options, ServerConnection } from "./types.ts";

const MIB = 1024 * 1024;
const none = new Uint8Array(0);
const bytes = (text: string) => new TextEncoder().encode(text);
const text = (body: Uint8Array) => new TextDecoder().decode(body);

function connect(
  handler: Http2Handler,
  options: { server?: Http2Options; client?: Http2Options } = {},
): { client: ClientConnection; server: ServerConnection } {
  const [a, b] = socketPair();
  return { server: serveHttp2(a, none, handler, options.server), client: connectHttp2(b, none, options.client) };
}

/** Bytes that differ from place to place. */
function pattern(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) data[i] = (state = (state * 1103515245 + 12345) >>> 0) >>> 16;
  return data;
}

const echo: Http2Handler = async (request) => ({ status: 200, body: await request.body.readAll(32 * MIB) });

Deno.test("BP-14 large bodies cross in both directions at once and arrive unchanged", async () => {
  const { client, server } = connect(echo);
  const bodies = [0, 1, 100, 16384, 65536, MIB + 1, 4 * MIB + 12, 9 * MIB].map((size, i) => pattern(size, i + 1));
  const answers = await Promise.all(bodies.map((body) => client.request({ method: "POST", path: "/", body })));
  answers.forEach((answer, i) => assert.ok(Buffer.compare(answer.body, bodies[i]) === 0, `body ${i}`));
  await client.close();
  assert.deepEqual([await server.closed, await client.closed], [{ error: undefined }, { error: undefined }]);
});

Deno.test("BP-14 the server announces 32 MiB windows, 4 MiB frames and 200 streams", async () => {
  const { client } = connect(echo);
  await client.request({ method: "GET", path: "/" });
  assert.deepEqual({ ...client.remoteSettings }, {
    headerTableSize: 4096,
    enablePush: true,
    maxConcurrentStreams: 200,
    initialWindowSize: 32 * MIB,
    maxFrameSize: 4 * MIB,
    maxHeaderListSize: 16384,
  });
  await client.close();
});

Deno.test("windows of a few bytes slow down but do not stop", async () => {
  const tiny = { streamWindow: 1000, connectionWindow: 70_000, maxFrameSize: 16384 };
  const { client } = connect(echo, { server: { ...tiny, receiveBudget: 400_000 }, client: tiny });
  const body = pattern(300_000);
  const answers = await Promise.all([1, 2, 3].map(() => client.request({ method: "POST", path: "/", body })));
  for (const answer of answers) assert.deepEqual(answer.body, body);
  await client.close();
});

Deno.test("requests beyond the peer's stream limit wait for their turn", async () => {
  let running = 0;
  let most = 0;
  const { client } = connect(async (request) => {
    most = Math.max(most, ++running);
    await request.body.discard();
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return { status: 200, body: bytes(request.path) };
  }, { server: { maxConcurrentStreams: 3 } });
  await client.request({ method: "GET", path: "/" });
  const paths = Array.from({ length: 30 }, (_, i) => `/${i}`);
  const answers = await Promise.all(paths.map((path) => client.request({ method: "POST", path, body: bytes("x") })));
  assert.deepEqual(answers.map((answer) => text(answer.body)), paths);
  assert.ok(most <= 3, `${most} at once`);
  await client.close();
});

Deno.test("method, path and headers arrive; repeated names are joined; the answer's headers come back", async () => {
  const { client } = connect((request) => {
    const { method, path, headers } = request;
    return { status: 201, headers: { "x-seen": `${method} ${path} ${headers.get("x-one")}` } };
  });
  const answer = await client.request({ method: "PUT", path: "/a/b?c=%20d", headers: { "x-one": "ü".normalize() } });
  assert.equal(answer.status, 201);
  assert.equal(answer.headers.get("x-seen"), "PUT /a/b?c=%20d ü");
  assert.equal(answer.headers.get("content-length"), "0");
  await client.close();
});

Deno.test("a DozoError of the handler is its status and text, any other error says nothing of itself", async () => {
  const { client } = connect((request) => {
    if (request.path === "/known") throw new DozoError("no such chunk: start anew", { status: 404 });
    throw new Error("secret of the implementation");
  });
  const known = await client.request({ method: "GET", path: "/known" });
  assert.deepEqual([known.status, text(known.body)], [404, "no such chunk: start anew"]);
  const unknown = await client.request({ method: "GET", path: "/" });
  assert.deepEqual([unknown.status, text(unknown.body)], [500, "internal server error"]);
  await client.close();
});

Deno.test("a body above the limit is refused and the connection goes on", async () => {
  const { client } = connect(async (request) => ({ status: 200, body: await request.body.readAll(MIB, 10) }));
  const refused = await client.request({ method: "POST", path: "/", body: pattern(5 * MIB) });
  assert.equal(refused.status, 400);
  const parts = [pattern(600_000), pattern(400_000, 2)];
  const kept = await client.request({ method: "POST", path: "/", body: parts });
  assert.equal(kept.body.length, 1_000_000);
  await client.close();
});

Deno.test("an answer above the client's limit rejects, and the connection goes on", async () => {
  const { client } = connect((request) => ({ status: 200, body: pattern(request.path === "/big" ? MIB : 10) }));
  await assert.rejects(client.request({ method: "GET", path: "/big", limit: 1000 }), DozoError);
  assert.equal((await client.request({ method: "GET", path: "/", limit: 1000 })).body.length, 10);
  await client.close();
});

Deno.test("recycled bodies are whole while their handler runs", async () => {
  const seen: number[] = [];
  const { client } = connect(async (request) => {
    const body = await request.body.readAll(8 * MIB, MIB, true);
    const sum = () => body.reduce((all, octet) => all + octet, 0);
    const before = sum();
    await new Promise((resolve) => setTimeout(resolve, 2));
    assert.equal(sum(), before);
    seen.push(before);
    return { status: 200 };
  });
  const bodies = Array.from({ length: 12 }, (_, i) => pattern(600_000 + i * 50_000, i + 1));
  const answers = await Promise.all(bodies.map((body) => client.request({ method: "POST", path: "/", body })));
  assert.ok(answers.every((answer) => answer.status === 200));
  const expected = bodies.map((body) => body.reduce((all, octet) => all + octet, 0));
  assert.deepEqual(seen.sort(), expected.sort());
  await client.close();
});

Deno.test("an answer comes piece by piece, no faster than it is read", async () => {
  let made = 0;
  const { client } = connect(() => ({
    status: 200,
    body: (async function* () {
      for (let i = 0; i < 200; i++) {
        made++;
        yield pattern(100_000, i + 1);
        await Promise.resolve();
      }
    })(),
  }), { client: { streamWindow: 500_000 } });
  const { status, body } = await client.requestStream({ method: "GET", path: "/" });
  assert.equal(status, 200);
  let length = 0;
  for await (const piece of body) {
    if (length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.ok(made < 30, `${made} pieces for a reader that waits`);
    }
    length += piece.length;
  }
  assert.deepEqual([made, length], [200, 20_000_000]);
  await client.close();
});

Deno.test("a reader that stops early resets the stream, and the handler's source is ended", async () => {
  let ended = false;
  const { client } = connect(() => ({
    status: 200,
    body: (async function* () {
      try {
        while (true) {
          yield new Uint8Array(50_000);
          await new Promise((resolve) => setTimeout(resolve, 0));
        }
      } finally {
        ended = true;
      }
    })(),
  }));
  const { body } = await client.requestStream({ method: "GET", path: "/" });
  for await (const piece of body) if (piece.length > 0) break;
  while (!ended) await new Promise((resolve) => setTimeout(resolve, 1));
  await client.close();
});

Deno.test("an aborted request rejects with the reason and tells the handler", async () => {
  const told = Promise.withResolvers<void>();
  const { client } = connect(async (request) => {
    if (request.path === "/quick") return { status: 200 };
    request.signal.addEventListener("abort", () => told.resolve());
    await told.promise;
    return { status: 200 };
  });
  const abort = new AbortController();
  const waiting = client.request({ method: "GET", path: "/", signal: abort.signal });
  await client.request({ method: "GET", path: "/quick" });
  abort.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  await told.promise;
  await assert.rejects(client.request({ method: "GET", path: "/", signal: abort.signal }), /enough/);
  await client.close();
});

Deno.test("an aborted server tells its handlers, rejects what runs and reports its error", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  const { client, server } = connect((request) => {
    started.resolve(request.signal);
    return new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason)));
  });
  const running = client.request({ method: "POST", path: "/", body: pattern(100) });
  running.catch(() => {});
  const signal = await started.promise;
  server.abort(new DozoError("task was aborted"));
  assert.equal(signal.reason.message, "task was aborted");
  await assert.rejects(running, DozoError);
  assert.equal((await server.closed).error?.message, "task was aborted");
  await assert.rejects(client.request({ method: "GET", path: "/" }), DozoError);
});

Deno.test("closing lets running requests finish and takes no new ones", async () => {
  const go = Promise.withResolvers<void>();
  const { client, server } = connect(async () => {
    await go.promise;
    return { status: 200, body: pattern(MIB) };
  });
  const running = client.request({ method: "GET", path: "/" });
  await new Promise((resolve) => setTimeout(resolve, 5));
  const closing = server.close();
  await new Promise((resolve) => setTimeout(resolve, 5));
  await assert.rejects(client.request({ method: "GET", path: "/" }), DozoError);
  go.resolve();
  assert.equal((await running).body.length, MIB);
  await closing;
  assert.deepEqual(await client.closed, { error: undefined });
});

Deno.test("`closed` waits for handlers that still run", async () => {
  const go = Promise.withResolvers<void>();
  let done = false;
  const { client, server } = connect(async () => {
    await go.promise;
    done = true;
    return { status: 200 };
  });
  client.request({ method: "GET", path: "/" }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 5));
  client.abort();
  setTimeout(() => go.resolve(), 5);
  assert.ok((await server.closed).error instanceof Error);
  assert.equal(done, true);
});

Deno.test("HEAD and 204 have no body, whatever the handler gives", async () => {
  const { client } = connect((request) => ({ status: request.method === "HEAD" ? 200 : 204, body: bytes("body") }));
  const head = await client.request({ method: "HEAD", path: "/" });
  assert.deepEqual([head.body.length, head.headers.get("content-length")], [0, "4"]);
  assert.equal((await client.request({ method: "GET", path: "/" })).body.length, 0);
  await client.close();
});

Deno.test("bytes that came with the upgrade answer are read first", async () => {
  const [a, b] = socketPair();
  const all: Uint8Array[] = [];
  const client = connectHttp2(b, none);
  const early = await new Promise<Uint8Array>((resolve) => {
    a.once("data", (chunk: Uint8Array) => {
      a.pause();
      resolve(chunk);
    });
  });
  all.push(early);
  const server = serveHttp2(a, early, () => ({ status: 200, body: bytes("here") }));
  assert.equal(text((await client.request({ method: "GET", path: "/" })).body), "here");
  await client.close();
  await server.closed;
});

Deno.test("errors of the peer carry their HTTP/2 code", async () => {
  const { client, server } = connect(() => ({ status: 200, headers: { "Bad Name": "x" } }));
  await assert.rejects(
    client.request({ method: "GET", path: "/" }),
    (error) => error instanceof Http2Error && error.code === 1,
  );
  await client.close();
  await server.closed;
});

Deno.test("a peer that went before the connection began ends it at once", async () => {
  const [destroyed] = socketPair();
  destroyed.destroy();
  await new Promise((resolve) => destroyed.once("close", resolve));
  assert.deepEqual(await serveHttp2(destroyed, none, echo).closed, { error: undefined });
  const [a, b] = socketPair();
  a.resume();
  b.end();
  await new Promise((resolve) => a.once("end", resolve));
  assert.deepEqual(await serveHttp2(a, none, echo).closed, { error: undefined });
});

Deno.test("a handler that gives nonsense ends its connection, not the process", async () => {
  const nonsense = [undefined, { status: 200, body: 5 }, { status: 200, headers: { "x": 7 } }];
  for (const answer of nonsense) {
    const { client, server } = connect(() => answer as never);
    await assert.rejects(client.request({ method: "GET", path: "/" }), DozoError);
    assert.ok((await server.closed).error instanceof Error);
  }
});
