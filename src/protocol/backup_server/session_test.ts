import assert from "node:assert/strict";
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { makeTestStore, type TestStore } from "../../datastore/testing.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { CryptKey } from "../../formats/crypt_key.ts";
import { DynamicIndexWriter, FixedIndexWriter } from "../../formats/index_writer.ts";
import { Manifest } from "../../formats/manifest.ts";
import { sha256Sync } from "../../native/crypto.ts";
import { openReaderSession } from "../reader_server/open.ts";
import { serveOverTcp, type TestSession } from "../session/testing.ts";
import type { SessionHost } from "../session/types.ts";
import { BACKUP_PROTOCOL, type BackupSession, openBackupSession } from "./open.ts";

const TIME = 1_700_000_000;

function hostOf(test: TestStore, privileges: string[] = ["Datastore.Backup"], caller = "alice@pbs"): SessionHost {
  return {
    caller,
    unauthorizedDelay: 5,
    hasPrivilege: (privilege) => privileges.includes(privilege),
    openStore: () => Promise.resolve({ store: test.store, release: () => {} }),
  };
}

function open(test: TestStore, query = "", host = hostOf(test)): Promise<BackupSession> {
  const fixed = `store=test&backup-type=host&backup-id=h1${
    query.includes("backup-time") ? "" : `&backup-time=${TIME}`
  }`;
  const request = { query: `${fixed}${query}`, upgrade: BACKUP_PROTOCOL, httpVersion: "1.1", peer: "::1" };
  return openBackupSession(request, host);
}

/** Sends a request and returns what `data` holds; throws the server's text with its status. */
async function ask(
  session: TestSession,
  method: string,
  path: string,
  body?: Uint8Array | Record<string, unknown>,
): Promise<unknown> {
  const raw = body === undefined || body instanceof Uint8Array;
  const answer = await session.client.request({
    method,
    path,
    headers: raw ? {} : { "content-type": "application/json" },
    body: raw ? body : new TextEncoder().encode(JSON.stringify(body)),
  });
  const text = new TextDecoder().decode(answer.body);
  if (answer.status !== 200) throw new DozoError(text, { status: answer.status });
  return JSON.parse(text).data;
}

function chunkPath(kind: string, wid: number, data: Uint8Array, blob: Uint8Array): string {
  return `/${kind}_chunk?wid=${wid}&digest=${toHex(sha256Sync(data))}&size=${data.length}&encoded-size=${blob.length}`;
}

async function uploadManifest(session: TestSession): Promise<void> {
  const blob = await Manifest.create({ type: "host", id: "h1", time: TIME }).encode();
  await ask(session, "POST", `/blob?file-name=index.json.blob&encoded-size=${blob.length}`, blob);
}

Deno.test("BP-01 BP-13 a lost client costs its snapshot; a finished one stays whatever happens to the connection", async () => {
  const test = await makeTestStore();
  try {
    const session = await open(test);
    const lost = await serveOverTcp(session);
    assert.equal(session.workerType, "backup");
    assert.equal(session.workerId, "test:host/h1");
    await ask(lost, "POST", "/dynamic_index?archive-name=root.pxar.didx");
    await uploadManifest(lost);
    await lost.close();
    await assert.rejects(lost.task);
    assert.equal(session.finished, false);
    assert.match(lost.log.join("\n"), /removing unfinished backup snapshot/);
    assert.deepEqual(await test.store.groups.refs(""), []);

    const second = await open(test);
    const kept = await serveOverTcp(second);
    await uploadManifest(kept);
    assert.equal(await ask(kept, "POST", "/finish"), null);
    assert.equal(second.finished, true);
    // The locks are free as soon as the answer is here.
    await (await test.store.beginBackup({
      snapshot: { ns: "", type: "host", id: "h1", time: TIME + 1 },
      caller: "alice@pbs",
    })).abort();
    await kept.close();
    await kept.task;
    assert.equal(kept.log.at(-1), "backup finished successfully");
    assert.deepEqual((await test.store.snapshots.list("")).map(({ time }) => time), [TIME]);
  } finally {
    await test.cleanUp();
  }
});

Deno.test("BP-13 an aborted task drops the connection and removes the snapshot", async () => {
  const test = await makeTestStore();
  const session = await open(test);
  const served = await serveOverTcp(session);
  await ask(served, "GET", "/previous_backup_time");
  session.abort(new DozoError("abort requested - aborting task"));
  await assert.rejects(served.task, /abort requested/);
  await served.client.closed;
  assert.deepEqual(await test.store.groups.refs(""), []);
  const unserved = await open(test);
  await unserved.cancel();
  assert.deepEqual(await test.store.groups.refs(""), []);
  await test.cleanUp();
});

Deno.test("BP-09 BP-15 nothing wrong is stored: digest, size, form; the CRC is the server's own", async () => {
  const test = await makeTestStore();
  const served = await serveOverTcp(await open(test));
  try {
    const wid = await ask(served, "POST", "/dynamic_index?archive-name=root.pxar.didx") as number;
    const data = new TextEncoder().encode("some data ".repeat(1000));
    const blob = await encodeBlob(data);
    const path = chunkPath("dynamic", wid, data, blob);
    const refused = async (path: string, body: Uint8Array, pattern: RegExp) => {
      await assert.rejects(ask(served, "POST", path, body), (error: unknown) => {
        assert.ok(error instanceof DozoError);
        assert.equal(error.status, 400);
        assert.match(error.message, pattern);
        return true;
      });
    };
    const flipped = blob.slice();
    flipped[flipped.length - 3] ^= 0x10;
    await refused(path, flipped, /cannot be decoded|wrong digest/);
    const plain = await encodeBlob(data, { compress: false });
    plain[100] ^= 1;
    await refused(chunkPath("dynamic", wid, data, plain), plain, /wrong digest/);
    await refused(path.replace(/size=10000/, "size=9999"), blob, /9999/);
    await refused(path.replace(/size=10000/, "size=10001"), blob, /wrong length \(10001 != 10000\)/);
    await refused(path, blob.subarray(1), /unexpected size/);
    await refused(path.replace(/encoded-size=\d+/, "encoded-size=20"), new Uint8Array(20).fill(7), /wrong magic/);
    await refused(path.replace(/size=10000/, "size=17000000"), blob, /maximum value/);
    await refused(path.replace(/encoded-size=\d+/, "encoded-size=5368709120"), blob, /maximum value/);
    let count = 0;
    for await (const _ of test.store.chunks.entries()) count++;
    assert.equal(count, 0);

    const uncertain = blob.slice();
    uncertain.fill(0, 8, 12);
    assert.equal(await ask(served, "POST", path, uncertain), toHex(sha256Sync(data)));
    assert.deepEqual(await test.store.chunks.read(sha256Sync(data)), blob);

    // Of an encrypted chunk only the form can be checked.
    const key = CryptKey.fromRaw(new Uint8Array(32).fill(1));
    const secret = await encodeBlob(data, { key });
    const digest = await key.digest(data);
    const encrypted = `/dynamic_chunk?wid=${wid}&digest=${toHex(digest)}&size=10000&encoded-size=${secret.length}`;
    assert.equal(await ask(served, "POST", encrypted, secret), toHex(digest));
    assert.deepEqual(await test.store.chunks.read(digest), secret);
    const empty = secret.subarray(0, 44);
    await refused(encrypted.replace(/encoded-size=\d+/, "encoded-size=43"), empty.subarray(0, 43), /header/);
  } finally {
    await served.close();
    await test.cleanUp();
  }
});

Deno.test("BP-05 BP-07 BP-14 a large image goes up in parallel, comes back equal, and is the base of the next one", async () => {
  const test = await makeTestStore();
  try {
    const image = Array.from({ length: 6 }, (_, i) => {
      const data = new Uint8Array(i === 5 ? 1_000_000 : 4 * 1024 * 1024);
      for (let at = 0; at < data.length; at += 65536) {
        crypto.getRandomValues(data.subarray(at, Math.min(at + 65536, data.length)));
      }
      return data;
    });
    const size = image.reduce((sum, { length }) => sum + length, 0);
    const index = new FixedIndexWriter({ ctime: 1, size });
    image.forEach((data, i) => index.set(i * 4194304, data.length, sha256Sync(data)));
    const { csum } = await index.finish();

    const served = await serveOverTcp(await open(test));
    const wid = await ask(served, "POST", "/fixed_index", { "archive-name": "d.img.fidx", size }) as number;
    await Promise.all(image.map(async (data) => {
      const blob = await encodeBlob(data);
      await ask(served, "POST", chunkPath("fixed", wid, data, blob), blob);
    }));
    const digests = image.map((data) => toHex(sha256Sync(data)));
    await ask(served, "PUT", "/fixed_index", {
      wid,
      "digest-list": digests.toReversed(),
      "offset-list": digests.map((_, i) => i * 4194304).reverse(),
    });
    await ask(served, "POST", "/fixed_close", { wid, "chunk-count": 6, size, csum: toHex(csum) });
    await uploadManifest(served);
    await ask(served, "POST", "/finish");
    await served.close();
    await served.task;
    assert.match(served.log.join("\n"), /Upload statistics for 'd.img.fidx'[^]*Chunk count: 6/);

    const again = await serveOverTcp(await open(test, `&backup-time=${TIME + 10}`));
    const next = await ask(again, "POST", "/fixed_index", {
      "archive-name": "d.img.fidx",
      size,
      "reuse-csum": toHex(csum),
    });
    await ask(again, "POST", "/fixed_close", { wid: next, "chunk-count": 0, size: 0, csum: toHex(csum) });
    await again.close();

    const request = {
      query: `store=test&backup-type=host&backup-id=h1&backup-time=${TIME}`,
      httpVersion: "1.1",
      peer: "::1",
    };
    const upgrade = "proxmox-backup-reader-protocol-v1";
    const reader = await serveOverTcp(await openReaderSession({ ...request, upgrade }, hostOf(test)));
    await reader.client.request({ method: "GET", path: "/download?file-name=d.img.fidx" });
    const answers = await Promise.all(
      digests.map((digest) => reader.client.request({ method: "GET", path: `/chunk?digest=${digest}` })),
    );
    for (const [i, { status, body }] of answers.entries()) {
      assert.equal(status, 200);
      assert.deepEqual(body, await test.store.chunks.read(sha256Sync(image[i])));
    }
    const unknown = await reader.client.request({ method: "GET", path: `/chunk?digest=${"0".repeat(64)}` });
    assert.equal(unknown.status, 401);
    await reader.client.close();
    await reader.task;
    assert.equal(reader.log.at(-1), "reader finished successfully");
  } finally {
    await test.cleanUp();
  }
});

Deno.test("BP-20 a reader needs the privilege or ownership, and holds the snapshot against removal", async () => {
  const test = await makeTestStore();
  const served = await serveOverTcp(await open(test));
  await uploadManifest(served);
  await ask(served, "POST", "/finish");
  await served.close();
  const request = {
    query: `store=test&backup-type=host&backup-id=h1&backup-time=${TIME}`,
    httpVersion: "1.1",
    peer: "::1",
    upgrade: "proxmox-backup-reader-protocol-v1",
  };
  await assert.rejects(openReaderSession(request, hostOf(test, [])), { status: 400, message: /no permissions/ });
  await assert.rejects(openReaderSession(request, hostOf(test, ["Datastore.Backup"], "bob@pbs")), /does not own/);
  const reader = await openReaderSession(request, hostOf(test, ["Datastore.Read"], "bob@pbs"));
  assert.equal(reader.workerId, "test:host/h1/6553F100");
  const snapshot = { ns: "", type: "host", id: "h1", time: TIME } as const;
  await assert.rejects(test.store.snapshots.forget(snapshot), /unable to acquire snapshot lock/);
  await reader.cancel();
  await reader.cancel();
  await test.store.snapshots.forget(snapshot);
  await test.cleanUp();
});

Deno.test("BP-10 requests in flight at the finish neither slip in nor break it", async () => {
  const test = await makeTestStore();
  const served = await serveOverTcp(await open(test));
  const data = new TextEncoder().encode("late");
  const blob = await encodeBlob(data);
  const wid = await ask(served, "POST", "/dynamic_index?archive-name=a.didx") as number;
  await ask(served, "POST", chunkPath("dynamic", wid, data, blob), blob);
  const index = new DynamicIndexWriter({ ctime: 1 });
  index.append(0, data.length, sha256Sync(data));
  const { csum } = await index.finish();
  await ask(served, "PUT", `/dynamic_index?wid=${wid}&digest-list=${toHex(sha256Sync(data))}&offset-list=0`);
  await ask(served, "POST", "/dynamic_close", { wid, "chunk-count": 1, size: 4, csum: toHex(csum) });
  await uploadManifest(served);
  const results = await Promise.allSettled([
    ask(served, "POST", "/finish"),
    ask(served, "POST", "/finish"),
    ask(served, "POST", `/blob?file-name=x.blob&encoded-size=${blob.length}`, blob),
    ask(served, "POST", "/dynamic_index?archive-name=b.didx"),
  ]);
  assert.equal(results.slice(0, 2).filter(({ status }) => status === "fulfilled").length, 1);
  const files = (await test.store.snapshots.list(""))[0].files.map(({ filename }) => filename);
  // The blob either came before the finish or not at all.
  assert.equal(files.includes("x.blob"), results[2].status === "fulfilled");
  await served.close();
  await served.task.catch(() => {});
  await test.cleanUp();
});

Deno.test("a benchmark session leaves nothing and is no failure", async () => {
  const test = await makeTestStore();
  const query = `store=test&backup-type=host&backup-id=benchmark&backup-time=${TIME}&benchmark=true`;
  const request = { query, upgrade: BACKUP_PROTOCOL, httpVersion: "1.1", peer: "::1" };
  const session = await openBackupSession(request, hostOf(test));
  assert.equal(session.workerType, "benchmark");
  const served = await serveOverTcp(session);
  await Promise.all(
    Array.from({ length: 8 }, () => ask(served, "POST", "/speedtest", new Uint8Array(4 * 1024 * 1024))),
  );
  await served.close();
  await served.task;
  assert.deepEqual(await test.store.groups.refs(""), []);
  await test.cleanUp();
});

Deno.test("BP-07 entries scattered over a huge image are refused before they exhaust the memory", async () => {
  const test = await makeTestStore();
  const served = await serveOverTcp(await open(test));
  const size = 2 ** 52;
  const wid = await ask(served, "POST", "/fixed_index", { "archive-name": "d.img.fidx", size }) as number;
  const data = new Uint8Array(4 * 1024 * 1024);
  const blob = await encodeBlob(data);
  const digest = await ask(served, "POST", chunkPath("fixed", wid, data, blob), blob);
  const offsets = Array.from({ length: 2000 }, (_, i) => i * 2 ** 40);
  const append = { wid, "digest-list": offsets.map(() => digest), "offset-list": offsets };
  await assert.rejects(ask(served, "PUT", "/fixed_index", append), /too scattered/);
  await served.close();
  await test.cleanUp();
});
