import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DozoError } from "../../base/errors.ts";
import type { Http2Handler, Http2Request, Http2Response } from "../http2/types.ts";
import { startTestServer, type TestServer } from "../testing_server.ts";
import { openBackupSession } from "./backup_session.ts";

const target = { store: "s1", backupType: "host", backupId: "h", backupTime: 1_700_000_000 } as const;
const MIB = 1024 * 1024;

/** What the server was asked, in the order in which the requests were complete. */
interface Log {
  readonly calls: { method: string; name: string; query: URLSearchParams; body: Uint8Array }[];
  inFlight: number;
  mostInFlight: number;
}

function recorder(
  answer: (name: string, query: URLSearchParams) => unknown | Promise<unknown>,
): { handler: Http2Handler; log: Log } {
  const log: Log = { calls: [], inFlight: 0, mostInFlight: 0 };
  const handler = async (request: Http2Request): Promise<Http2Response> => {
    log.mostInFlight = Math.max(log.mostInFlight, ++log.inFlight);
    const url = new URL(request.path, "http://x");
    const body = await request.body.readAll(32 * MIB);
    const name = url.pathname.slice(1);
    const data = await answer(name, url.searchParams);
    log.calls.push({ method: request.method, name, query: url.searchParams, body });
    log.inFlight--;
    if (data instanceof Uint8Array) return { status: 200, body: data };
    return { status: 200, body: new TextEncoder().encode(JSON.stringify({ data: data ?? null })) };
  };
  return { handler, log };
}

const digestOf = (chunk: Uint8Array) => new Uint8Array(createHash("sha256").update(chunk).digest());
const chunkOf = (i: number, size = 1000) => new Uint8Array(size).fill(i);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

async function withSession(
  server: TestServer,
  use: (session: Awaited<ReturnType<typeof openBackupSession>>) => Promise<void>,
  options = {},
): Promise<void> {
  const session = await openBackupSession(server.address, target, options);
  try {
    await use(session);
  } finally {
    session.abort();
    await session.closed;
  }
}

Deno.test("chunks go side by side, appends in order behind them, the close tells count, size and checksum", async () => {
  const answered = new Set<string>();
  const { handler, log } = recorder(async (name, query) => {
    if (name === "dynamic_index" && query.has("archive-name")) return 7;
    if (name === "dynamic_chunk") {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
      answered.add(query.get("digest") as string);
    }
    return null;
  });
  await using server = await startTestServer(handler);
  await withSession(server, async (session) => {
    const writer = await session.createDynamicIndex("root.pxar.didx");
    assert.equal(writer.wid, 7);
    const checksum = createHash("sha256");
    const known = digestOf(chunkOf(1, 1001));
    let sent = 0;
    let end = 0;
    for (let i = 0; i < 300; i++) {
      const chunk = chunkOf(i % 200, 1000 + i);
      const digest = i % 10 === 9 ? known : digestOf(chunk);
      if (i % 10 === 9) await writer.reuse({ digest, size: 1001 });
      else await writer.upload({ digest, size: chunk.length, encoded: chunk, sent: () => sent++ });
      end += i % 10 === 9 ? 1001 : chunk.length;
      const offset = new Uint8Array(8);
      new DataView(offset.buffer).setBigUint64(0, BigInt(end), true);
      checksum.update(offset).update(digest);
    }
    assert.equal(writer.offset, end);
    const summary = await writer.close();
    const csum = checksum.digest("hex");
    assert.deepEqual({ ...summary, csum: hex(summary.csum) }, {
      size: end,
      chunkCount: 300,
      csum,
      uploadedChunks: 270,
      uploadedSize: end - 30 * 1001,
      uploadedEncodedSize: end - 30 * 1001,
      reusedChunks: 30,
      reusedSize: 30 * 1001,
    });
    assert.equal(sent, 270);
    const appends = log.calls.filter((call) => call.method === "PUT").map((call) =>
      JSON.parse(new TextDecoder().decode(call.body))
    );
    assert.deepEqual(appends.map((append) => append["digest-list"].length), [128, 128, 44]);
    const offsets: number[] = appends.flatMap((append) => append["offset-list"]);
    assert.deepEqual(offsets, [...offsets].sort((a, b) => a - b));
    const close = log.calls.find((call) => call.name === "dynamic_close");
    assert.equal(String(close?.query), `chunk-count=300&csum=${csum}&size=${end}&wid=7`);
    const first = log.calls.findIndex((call) => call.method === "PUT");
    const before = new Set(log.calls.slice(0, first).map((call) => call.query.get("digest")));
    for (const digest of appends[0]["digest-list"]) assert.ok(before.has(digest), "appended before it was stored");
  });
  assert.ok(log.mostInFlight > 1 && log.mostInFlight <= 10, `${log.mostInFlight} in flight`);
});

Deno.test("uploads in flight are bounded in number and in bytes", async () => {
  const { handler, log } = recorder(async (name) => {
    await new Promise((resolve) => setTimeout(resolve, 2));
    return name === "fixed_index" ? 1 : null;
  });
  await using server = await startTestServer(handler);
  await withSession(server, async (session) => {
    const writer = await session.createFixedIndex("d.img.fidx", 40 * MIB);
    log.mostInFlight = 0;
    for (let i = 0; i < 20; i++) {
      const encoded = chunkOf(i, 2 * MIB);
      await writer.upload({ digest: digestOf(Uint8Array.of(i)), size: 2 * MIB, encoded });
    }
    await writer.close();
  }, { uploads: 5, uploadBytes: 6 * MIB });
  assert.ok(log.mostInFlight <= 4, `${log.mostInFlight} in flight`);
});

Deno.test("a chunk that another writer has under way is appended only when it was answered", async () => {
  const arrived = Promise.withResolvers<void>();
  const go = Promise.withResolvers<void>();
  let wid = 0;
  const { handler, log } = recorder(async (name, query) => {
    if (name === "dynamic_index" && query.has("archive-name")) return ++wid;
    if (name === "dynamic_chunk") {
      arrived.resolve();
      await go.promise;
    }
    return null;
  });
  await using server = await startTestServer(handler);
  await withSession(server, async (session) => {
    const [a, b] = [await session.createDynamicIndex("a.didx"), await session.createDynamicIndex("b.didx")];
    const digest = digestOf(chunkOf(1));
    await a.upload({ digest, size: 1000, encoded: chunkOf(1) });
    assert.equal(session.knownChunks.get(digest), 1000);
    await b.reuse({ digest, size: 1000 });
    const closing = b.close();
    await arrived.promise;
    await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(!log.calls.some((call) => call.method === "PUT"));
    go.resolve();
    await Promise.all([closing, a.close()]);
  });
});

Deno.test("a refused call rejects with the server's status and text, also when it shows later", async () => {
  const { handler } = recorder((name, query) => {
    if (name === "dynamic_chunk") throw new DozoError("detected chunk with wrong digest.");
    if (name === "previous") throw new DozoError("no such file", { status: 404 });
    return query.has("archive-name") ? 1 : null;
  });
  await using server = await startTestServer(handler);
  await withSession(server, async (session) => {
    await assert.rejects(session.previous("x.blob"), (error) => error instanceof DozoError && error.status === 404);
    const writer = await session.createDynamicIndex("a.didx");
    let sent = 0;
    await writer.upload({ digest: digestOf(chunkOf(1)), size: 1000, encoded: chunkOf(1), sent: () => sent++ });
    await assert.rejects(writer.close(), (error) => error instanceof DozoError && /wrong digest/.test(error.message));
    await assert.rejects(writer.reuse({ digest: digestOf(chunkOf(1)), size: 1000 }), /wrong digest/);
    assert.equal(sent, 1);
  });
});

Deno.test("blobs, previous files and times, speed test and finish are the calls of the protocol", async () => {
  const file = new Uint8Array(100_000).fill(5);
  const { handler, log } = recorder((name) =>
    name === "previous" ? file : name === "previous_backup_time" ? 1234 : null
  );
  await using server = await startTestServer(handler);
  const session = await openBackupSession(server.address, target);
  assert.equal(await session.previousBackupTime(), 1234);
  assert.deepEqual(await session.previous("a.img.fidx"), file);
  await session.uploadBlob("index.json.blob", chunkOf(1, 50));
  await session.speedtest(chunkOf(0, MIB));
  await session.finish();
  assert.deepEqual(await session.closed, { error: undefined });
  assert.deepEqual(log.calls.map((call) => `${call.method} ${call.name}?${call.query} ${call.body.length}`), [
    "GET previous_backup_time? 0",
    "GET previous?archive-name=a.img.fidx 0",
    "POST blob?encoded-size=50&file-name=index.json.blob 50",
    `POST speedtest? ${MIB}`,
    "POST finish? 0",
  ]);
  assert.match(String(server.requests[0].url), /^\/api2\/json\/backup\?backup-id=h&.*benchmark=false/);
});

Deno.test("a server that dies rejects everything that waits", async () => {
  const { handler } = recorder((name) => name === "dynamic_index" ? 1 : new Promise(() => {}));
  await using server = await startTestServer(handler);
  const session = await openBackupSession(server.address, target);
  const writer = await session.createDynamicIndex("a.didx");
  for (let i = 0; i < 8; i++) await writer.upload({ digest: digestOf(chunkOf(i)), size: 1000, encoded: chunkOf(i) });
  const stuck = writer.upload({ digest: digestOf(chunkOf(9)), size: 1000, encoded: chunkOf(9) });
  for (const connection of server.connections) connection.abort();
  await assert.rejects(stuck.then(() => writer.close()), DozoError);
  assert.ok((await session.closed).error instanceof Error);
});

Deno.test("an aborted signal ends the session", async () => {
  const { handler } = recorder(() => new Promise(() => {}));
  await using server = await startTestServer(handler);
  const abort = new AbortController();
  const session = await openBackupSession(server.address, target, { signal: abort.signal });
  const waiting = session.previousBackupTime();
  setTimeout(() => abort.abort(new DozoError("interrupted by the user")), 5);
  await assert.rejects(waiting, /interrupted by the user/);
});
