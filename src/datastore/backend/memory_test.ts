import assert from "node:assert/strict";
import { toHex } from "../../base/bytes.ts";
import { Datastore } from "../datastore.ts";
import { addSnapshot } from "../testing.ts";
import { testBackend } from "./conformance.ts";
import { MemoryBackend, MemoryMedium } from "./testing_memory.ts";

testBackend("memory back end", (name, run) => Deno.test(name, run), () => {
  const medium = new MemoryMedium();
  const chunkOf = (digest: Uint8Array) => medium.chunks.get(toHex(digest)) ?? assert.fail("no such chunk");
  return Promise.resolve({
    backend: new MemoryBackend(medium),
    reopen: () => new MemoryBackend(medium),
    age: (digest, atime) => {
      chunkOf(digest).atime = atime;
      return Promise.resolve();
    },
    corrupt: (digest, bytes) => {
      chunkOf(digest).bytes = bytes;
      return Promise.resolve();
    },
    cleanUp: () => Promise.resolve(),
  });
});

Deno.test("a whole datastore works on a medium without local paths", async () => {
  const root = await Deno.makeTempDir();
  await Deno.writeTextFile(`${root}/.lock`, "");
  const medium = new MemoryMedium();
  const open = () =>
    Datastore.over(new MemoryBackend(medium), {
      name: "object",
      lockDirectory: `${root}/locks`,
      processLock: `${root}/.lock`,
    });
  const store = open();
  const group = { ns: "a/b", type: "vm", id: "100" } as const;
  await store.namespaces.create("", "a");
  await store.namespaces.create("a", "b");
  await addSnapshot(store, { ...group, time: 1000 });
  const { digest } = await addSnapshot(store, { ...group, time: 2000 }, { content: "second" });
  await store.snapshots.setNotes({ ...group, time: 2000 }, "note");
  await store.snapshots.setProtected({ ...group, time: 2000 }, true);
  const other = open();
  const listed = await other.snapshots.list("a/b");
  assert.deepEqual(listed.map(({ time, comment, protected: kept }) => [time, comment, kept]), [
    [1000, undefined, false],
    [2000, "note", true],
  ]);
  using reader = await other.snapshots.open({ ...group, time: 2000 });
  assert.ok(await reader.readFile("root.pxar.didx"));
  assert.ok(await other.chunks.read(digest));
  await assert.rejects(store.snapshots.forget({ ...group, time: 2000 }), /in use|lock|being/);
  await store.snapshots.forget({ ...group, time: 1000 });
  const running = await store.beginBackup({ snapshot: { ...group, time: 3000 }, caller: "alice@pbs" });
  assert.equal(running.previous?.time, 2000);
  await running.abort();
  reader.close();
  const { protectedSnapshots, complete } = await other.namespaces.remove("a", { deleteGroups: true });
  assert.deepEqual([protectedSnapshots, complete], [1, false]);
  assert.deepEqual(Array.from(Deno.readDirSync(root), ({ name }) => name).sort(), [".lock", "locks"]);
  await Deno.remove(root, { recursive: true });
});
