import assert from "node:assert/strict";
import { DozoError } from "../../base/errors.ts";
import { fromHex, toHex } from "../../base/bytes.ts";
import type { Http2Handler } from "../http2/types.ts";
import { startTestServer } from "../testing_server.ts";
import { readAhead } from "./read_ahead.ts";
import { openReaderSession } from "./reader_session.ts";

const target = { store: "s1", backupType: "vm", backupId: "100", backupTime: 1_700_000_000, ns: "a/b" } as const;
const digests = Array.from({ length: 60 }, (_, i) => new Uint8Array(32).fill(i));

const handler: Http2Handler = async (request) => {
  const url = new URL(request.path, "http://x");
  const file = url.searchParams.get("file-name");
  if (file === "missing.blob") throw new DozoError("no such file", { status: 404 });
  if (url.pathname === "/download") return { status: 200, body: new Uint8Array(3_000_000).fill(7) };
  if (url.pathname === "/speedtest") return { status: 200, body: new Uint8Array(1 << 20).fill(65) };
  const digest = fromHex(url.searchParams.get("digest") as string);
  if (digest[0] === 50) throw new DozoError("download not allowed", { status: 401 });
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 5));
  return { status: 200, body: digest };
};

Deno.test("files of the snapshot are downloaded whole or piece by piece, refusals carry status and text", async () => {
  await using server = await startTestServer(handler);
  const session = await openReaderSession(server.address, target);
  assert.equal(
    server.requests[0].url,
    "/api2/json/reader?backup-id=100&backup-time=1700000000&backup-type=vm&debug=false&ns=a%2Fb&store=s1",
  );
  assert.equal(server.requests[0].headers.upgrade, "proxmox-backup-reader-protocol-v1");
  assert.equal((await session.download("index.json.blob")).length, 3_000_000);
  await assert.rejects(session.download("index.json.blob", 1000), DozoError);
  let length = 0;
  for await (const piece of await session.downloadStream("a.img.fidx")) length += piece.length;
  assert.equal(length, 3_000_000);
  for (const refused of [session.download("missing.blob"), session.downloadStream("missing.blob")]) {
    await assert.rejects(
      refused,
      (error) => error instanceof DozoError && error.status === 404 && error.message === "no such file",
    );
  }
  assert.equal(await session.speedtest(), 1 << 20);
  await session.close();
  assert.deepEqual(await session.closed, { error: undefined });
});

Deno.test("chunks are fetched ahead and come in order", async () => {
  await using server = await startTestServer(handler);
  const session = await openReaderSession(server.address, target);
  const seen: string[] = [];
  let running = 0;
  let most = 0;
  const decode = async (encoded: Uint8Array) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return toHex(encoded);
  };
  for await (const one of session.chunks(digests.slice(0, 50), decode, { ahead: 6 })) seen.push(one);
  assert.deepEqual(seen, digests.slice(0, 50).map(toHex));
  assert.ok(most > 1 && most <= 6, `${most} at once`);
  const failing = session.chunks(digests, decode)[Symbol.asyncIterator]();
  for (let i = 0; i < 50; i++) await failing.next();
  await assert.rejects(failing.next(), (error) => error instanceof DozoError && error.status === 401);
  assert.deepEqual(await session.chunk(digests[3]), digests[3]);
  await session.close();
});

Deno.test("reading ahead stops when its consumer stops, and starts no more than allowed", async () => {
  let started = 0;
  const stopped: AbortSignal[] = [];
  const work = async (item: number, signal: AbortSignal) => {
    started++;
    stopped.push(signal);
    await Promise.resolve();
    return item;
  };
  const items = function* () {
    for (let i = 0;; i++) yield i;
  };
  for await (const one of readAhead(items(), work, 4)) if (one === 3) break;
  assert.ok(started <= 8, `${started} started`);
  assert.ok(stopped.every((signal) => signal.aborted));
  const abort = new AbortController();
  const aborted = readAhead(items(), work, 4, abort.signal);
  await aborted.next();
  abort.abort(new Error("enough"));
  await assert.rejects(aborted.next(), /enough/);
});
