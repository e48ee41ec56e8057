import assert from "node:assert/strict";
import { encodeBlob } from "../formats/blob.ts";
import { Manifest } from "../formats/manifest.ts";
import { Datastore } from "./datastore.ts";
import { isOwner } from "./group_owner.ts";
import { addSnapshot, makeTestStore } from "./testing.ts";
import type { GroupRef } from "./types.ts";

const GROUP: GroupRef = { ns: "", type: "host", id: "h1" };
const ALICE = "alice@pbs";
const STATS = { count: 0, size: 0, compressedSize: 0, duplicates: 0 };
const at = (time: number) => ({ snapshot: { ...GROUP, time }, caller: ALICE });

Deno.test("TM-09 ST-70 BP-03 backups of a group come one at a time, in order, each second once", async () => {
  const { store, options, cleanUp } = await makeTestStore();
  try {
    const other = await Datastore.open(options);
    const running = await store.beginBackup(at(1000));
    await assert.rejects(other.beginBackup(at(2000)), /unable to acquire backup group lock/);
    const elsewhere = await other.beginBackup({ snapshot: { ...GROUP, id: "h2", time: 1000 }, caller: ALICE });
    await elsewhere.abort();
    await running.abort();
    await addSnapshot(store, { ...GROUP, time: 1000 });
    await assert.rejects(other.beginBackup(at(1000)), /older than last backup/);
    await assert.rejects(other.beginBackup(at(999)), /older than last backup/);
    const next = await other.beginBackup(at(1001));
    assert.equal(next.previous?.time, 1000);
    await next.abort();
    await assert.rejects(store.beginBackup({ snapshot: { ...GROUP, ns: "none", time: 5 }, caller: ALICE }), {
      status: 404,
    });
  } finally {
    await cleanUp();
  }
});

Deno.test("ST-44 only an owner adds to a group: the user itself, or the user whose token owns it", async () => {
  assert.equal(isOwner("alice@pbs", "alice@pbs"), true);
  assert.equal(isOwner("alice@pbs!t", "alice@pbs"), true);
  assert.equal(isOwner("alice@pbs", "alice@pbs!t"), false);
  assert.equal(isOwner("alice@pbs!t", "alice@pbs!u"), false);
  assert.equal(isOwner("alice@pbsx!t", "alice@pbs"), false);
  const { store, cleanUp } = await makeTestStore();
  await addSnapshot(store, { ...GROUP, time: 1000 });
  const begin = { snapshot: { ...GROUP, time: 2000 }, caller: "bob@pbs" };
  await assert.rejects(store.beginBackup(begin), /owner check failed \(bob@pbs != alice@pbs\)/);
  const benchmark = await store.beginBackup({ ...begin, benchmark: true });
  await benchmark.abort();
  await cleanUp();
});

Deno.test("BP-03 a snapshot that failed verification is no base", async () => {
  const { store, cleanUp } = await makeTestStore();
  await addSnapshot(store, { ...GROUP, time: 1000 });
  await addSnapshot(store, { ...GROUP, time: 2000 });
  const upid = "UPID:vm:00006108:0002482E:0000001B:6B0194F7:verify:golden:root@pam:";
  await store.snapshots.setVerifyState({ ...GROUP, time: 2000 }, { upid, state: "failed" });
  const writer = await store.beginBackup(at(1500));
  assert.equal(writer.previous, undefined);
  assert.throws(() => writer.openPrevious("root.pxar.didx"), /no valid previous backup/);
  await writer.abort();
  await cleanUp();
});

Deno.test("BP-10 the manifest appears only when the backup is finished, with the statistics", async () => {
  for (const syncLevel of ["none", "file", "filesystem"] as const) {
    const { store, path, cleanUp } = await makeTestStore({ syncLevel });
    const writer = await store.beginBackup(at(1000));
    const manifest = Manifest.create({ ...GROUP, time: 1000 });
    manifest.unprotected["foreign"] = { kept: [1, null] };
    await writer.write("a.conf.blob", [await encodeBlob(new Uint8Array(10))]);
    await writer.write("index.json.blob", [await manifest.encode()]);
    const directory = `${path}/host/h1/1970-01-01T00:16:40Z`;
    assert.deepEqual(Array.from(Deno.readDirSync(directory), ({ name }) => name), ["a.conf.blob"]);
    assert.equal((await store.snapshots.list(""))[0].size, undefined);
    await writer.finish({ count: 3, size: 30, compressedSize: 20, duplicates: 1 });
    const stored = await store.snapshots.manifest({ ...GROUP, time: 1000 });
    assert.deepEqual(stored.unprotected, {
      chunk_upload_stats: { count: 3, size: 30, compressed_size: 20, duplicates: 1 },
      foreign: { kept: [1, null] },
    });
    await writer.abort();
    assert.equal(await store.snapshots.exists({ ...GROUP, time: 1000 }), true);
    await assert.rejects(writer.write("late.blob", [new Uint8Array(12)]), /has ended/);
    (await store.beginBackup(at(1001))).abort();
    await cleanUp();
  }
});

Deno.test("BP-10 a finish without a usable manifest or base leaves nothing that looks finished", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  await addSnapshot(store, { ...GROUP, time: 500 });
  const writer = await store.beginBackup(at(1000));
  await assert.rejects(writer.finish(STATS), /unable to update manifest blob/);
  await writer.write("index.json.blob", [await encodeBlob(new TextEncoder().encode("{bad"))]);
  await assert.rejects(writer.finish(STATS), /unable to update manifest blob/);
  await writer.write("index.json.blob", [await Manifest.create({ ...GROUP, time: 1000 }).encode()]);
  await Deno.remove(`${path}/host/h1/1970-01-01T00:08:20Z`, { recursive: true });
  await assert.rejects(writer.finish(STATS), /removed during backup/);
  await writer.abort();
  assert.equal(await store.groups.exists(GROUP), false);
  await cleanUp();
});

Deno.test("BP-13 an aborted backup removes its directory, and the group when it was the first", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  const first = await store.beginBackup(at(1000));
  await first.write("a.conf.blob", [new Uint8Array(12)]);
  await first.abort();
  await assert.rejects(Deno.lstat(`${path}/host/h1`));
  await addSnapshot(store, { ...GROUP, time: 1000 });
  const second = await store.beginBackup(at(2000));
  await second.abort();
  await second.abort();
  assert.deepEqual(await store.snapshots.times(GROUP), [{ time: 1000, finished: true }]);
  await cleanUp();
});

Deno.test("a failed beginning gives everything back", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  try {
    await Deno.remove(`${path}/.lock`);
    await assert.rejects(store.beginBackup(at(1000)), /process lock/);
    await assert.rejects(Deno.lstat(`${path}/host/h1`));
    await Deno.writeTextFile(`${path}/.lock`, "");
    await (await store.beginBackup(at(1000))).abort();
    assert.equal(await store.oldestWriter(), undefined);
    await addSnapshot(store, { ...GROUP, time: 1000 });
    await Deno.writeTextFile(`${path}/host/h1/1970-01-01T00:16:40Z/index.json.blob`, "damaged");
    await assert.rejects(store.beginBackup(at(2000)), /unable to read manifest/);
    assert.deepEqual((await store.snapshots.times(GROUP)).length, 1);
    await store.snapshots.forget({ ...GROUP, time: 1000 });
  } finally {
    await cleanUp();
  }
});

Deno.test("what a killed server left is removed by the next backup of the same second", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  const directory = `${path}/host/h1/1970-01-01T00:16:40Z`;
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${directory}/drive.img.tmp_fidx`, "x");
  // The group has no owner file: the server died between making the directory and writing it.
  await assert.rejects(store.beginBackup(at(1000)), /owner/);
  await Deno.writeTextFile(`${path}/host/h1/owner`, "alice@pbs\n");
  const writer = await store.beginBackup(at(1000));
  assert.match(writer.notes.join("\n"), /interrupted backup/);
  assert.deepEqual([...Deno.readDirSync(directory)], []);
  await writer.abort();
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(`${path}/host/h1/owner`, "alice@pbs\n");
  await Deno.writeTextFile(`${directory}/.protected`, "");
  await assert.rejects(store.beginBackup(at(1000)), /already exists/);
  await cleanUp();
});

Deno.test("a group directory without owner and snapshots is new", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  await Deno.mkdir(`${path}/host/h1`, { recursive: true });
  const writer = await store.beginBackup(at(1000));
  assert.equal(await store.groups.owner(GROUP), ALICE);
  await writer.abort();
  await cleanUp();
});

Deno.test("abandoned snapshots are removed, running, finished, protected and freshly copied ones are not", async () => {
  const { store, path, options, cleanUp } = await makeTestStore();
  const other = await Datastore.open(options);
  await addSnapshot(store, { ...GROUP, time: 1000 });
  const running = await store.beginBackup({ snapshot: { ...GROUP, id: "running", time: 1000 }, caller: ALICE });
  const hour = Date.now() / 1000 - 7200;
  for (const [group, old] of [["killed", true], ["copied", false], ["kept", true]] as const) {
    const directory = `${path}/vm/${group}/1970-01-01T00:16:40Z`;
    await Deno.mkdir(directory, { recursive: true });
    if (group === "kept") await Deno.writeTextFile(`${directory}/.protected`, "");
    if (old) await Deno.utime(directory, hour, hour);
  }
  const removed = await other.removeAbandoned();
  assert.deepEqual(removed.map(({ id }) => id), ["killed"]);
  assert.equal(await store.groups.exists({ ns: "", type: "vm", id: "killed" }), false);
  assert.deepEqual((await store.snapshots.list("")).map(({ id }) => id), ["h1", "running", "copied", "kept"]);
  await running.abort();
  await cleanUp();
});

Deno.test("a running backup is known as the oldest writer to other handles of the store", async () => {
  const { store, options, cleanUp } = await makeTestStore();
  const other = await Datastore.open(options);
  const writer = await store.beginBackup(at(1000));
  assert.ok(Math.abs((await other.oldestWriter() ?? 0) - Date.now() / 1000) < 60);
  await writer.abort();
  assert.equal(await other.oldestWriter(), undefined);
  await cleanUp();
});
