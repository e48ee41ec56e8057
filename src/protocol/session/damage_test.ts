/** Sessions over a store in which files are truncated or have flipped bits: a clear refusal, and nothing else suffers. */
import assert from "node:assert/strict";
import { toHex } from "../../base/bytes.ts";
import { addSnapshot, makeTestStore, type TestStore } from "../../datastore/testing.ts";
import { BACKUP_PROTOCOL, openBackupSession } from "../backup_server/open.ts";
import { openReaderSession, READER_PROTOCOL } from "../reader_server/open.ts";
import { serveOverTcp, type TestSession } from "./testing.ts";
import type { SessionHost } from "./types.ts";

const SNAPSHOT = { ns: "", type: "host", id: "h1", time: 1_700_000_000 } as const;
const DIRECTORY = "host/h1/2023-11-14T22:13:20Z";

function hostOf(test: TestStore): SessionHost {
  return {
    caller: "alice@pbs",
    unauthorizedDelay: 1,
    hasPrivilege: () => true,
    openStore: () => Promise.resolve({ store: test.store, release: () => {} }),
  };
}

const queryAt = (time: number) => `store=test&backup-type=host&backup-id=h1&backup-time=${time}`;

async function openBoth(test: TestStore): Promise<{ reader: TestSession; backup: TestSession }> {
  const common = { httpVersion: "1.1", peer: "::1" };
  const reader = await openReaderSession(
    { ...common, query: queryAt(SNAPSHOT.time), upgrade: READER_PROTOCOL },
    hostOf(test),
  );
  const backup = await openBackupSession(
    { ...common, query: queryAt(SNAPSHOT.time + 1), upgrade: BACKUP_PROTOCOL },
    hostOf(test),
  );
  return { reader: await serveOverTcp(reader), backup: await serveOverTcp(backup) };
}

async function get(session: TestSession, path: string): Promise<{ status: number; text: string }> {
  const { status, body } = await session.client.request({ method: "GET", path });
  return { status, text: new TextDecoder().decode(body) };
}

Deno.test("a truncated or damaged index is refused by both kinds of session, which go on", async () => {
  const test = await makeTestStore();
  const { digest } = await addSnapshot(test.store, SNAPSHOT);
  const path = `${test.path}/${DIRECTORY}/root.pxar.didx`;
  const whole = await Deno.readFile(path);
  const { reader, backup } = await openBoth(test);
  try {
    const damaged = [whole.subarray(0, 4095), whole.subarray(0, 4096), whole.subarray(0, 4100), new Uint8Array(0)];
    const magic = whole.slice();
    magic[0] ^= 1;
    const end = whole.slice();
    end[4103] = 0xff;
    for (const bytes of [...damaged, magic, end]) {
      await Deno.writeFile(path, bytes);
      for (const [session, call] of [[reader, "download?file-name"], [backup, "previous?archive-name"]] as const) {
        const { status, text } = await get(session, `/${call}=root.pxar.didx`);
        assert.equal(status, 400);
        assert.match(text, /Unable to open dynamic index ".*root\.pxar\.didx" - /);
      }
      const chunk = await get(reader, `/chunk?digest=${toHex(digest)}`);
      assert.equal(chunk.status, 401, "chunks of a refused index stay locked");
      const append = await backup.client.request({
        method: "PUT",
        path: `/dynamic_index?wid=1&digest-list=${toHex(digest)}&offset-list=0`,
      });
      assert.equal(append.status, 400);
    }
    await Deno.writeFile(path, whole);
    assert.equal((await get(reader, "/download?file-name=root.pxar.didx")).status, 200);
    assert.equal((await get(reader, `/chunk?digest=${toHex(digest)}`)).status, 200);
    assert.equal((await get(backup, "/previous?archive-name=root.pxar.didx")).status, 200);
  } finally {
    await reader.close();
    await backup.close();
    await test.cleanUp();
  }
});

Deno.test("a damaged chunk or blob is sent as it lies: the client's checks name it, the others are untouched", async () => {
  const test = await makeTestStore();
  const { digest } = await addSnapshot(test.store, SNAPSHOT);
  const hex = toHex(digest);
  const chunk = `${test.path}/.chunks/${hex.slice(0, 4)}/${hex}`;
  const bytes = await Deno.readFile(chunk);
  bytes[bytes.length - 1] ^= 1;
  await Deno.writeFile(chunk, bytes);
  const { reader, backup } = await openBoth(test);
  await get(reader, "/download?file-name=root.pxar.didx");
  const answer = await reader.client.request({ method: "GET", path: `/chunk?digest=${hex}` });
  assert.deepEqual(answer.body, bytes);
  await Deno.remove(chunk);
  assert.equal((await get(reader, `/chunk?digest=${hex}`)).status, 400);
  await Deno.mkdir(chunk);
  assert.equal((await get(reader, `/chunk?digest=${hex}`)).status, 400);
  await Deno.writeFile(`${test.path}/${DIRECTORY}/note.conf.blob`, new Uint8Array(5));
  assert.equal((await get(backup, "/previous?archive-name=note.conf.blob")).text.length, 5);
  await reader.close();
  await backup.close();
  await test.cleanUp();
});
