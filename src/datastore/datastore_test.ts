import assert from "node:assert/strict";
import { encodeBlob } from "../formats/blob.ts";
import { Datastore } from "./datastore.ts";
import { addSnapshot, makeTestStore } from "./testing.ts";
import type { GroupRef } from "./types.ts";

const GROUP: GroupRef = { ns: "", type: "host", id: "h1" };
const OK = { upid: "UPID:vm:00006108:0002482E:0000001B:6B0194F7:verify:golden:root@pam:", state: "ok" } as const;

/** A directory in memory where there is one: 65536 directories are slow on a busy disk. */
async function roomyDirectory(): Promise<string> {
  const shm = await Deno.stat("/dev/shm").then((stat) => stat.isDirectory, () => false);
  return await Deno.makeTempDir(shm ? { dir: "/dev/shm", prefix: "dozo-create-" } : { prefix: "dozo-create-" });
}

Deno.test("ST-20 ST-22 ST-29 a new store has the layout of PBS, is made once, and can be adopted", async () => {
  const root = await roomyDirectory();
  try {
    const options = { name: "first", path: `${root}/base`, lockDirectory: `${root}/locks` };
    const fractions: number[] = [];
    const store = await Datastore.create(options, (fraction) => fractions.push(fraction));
    assert.equal(store.name, "first");
    assert.ok(fractions.length >= 10 && fractions[0] > 0 && fractions.at(-1) === 1);
    assert.deepEqual(fractions, fractions.toSorted((a, b) => a - b));
    const names = Array.from(Deno.readDirSync(`${options.path}/.chunks`), ({ name }) => name).sort();
    assert.equal(names.length, 65536);
    assert.ok(names.every((name, i) => name === i.toString(16).padStart(4, "0")));
    const modeOf = (path: string) => (Deno.lstatSync(`${options.path}/${path}`).mode ?? 0) & 0o777;
    assert.deepEqual(["", ".chunks", ".chunks/0000", ".chunks/ffff", ".lock"].map(modeOf), [
      0o755,
      0o750,
      0o750,
      0o750,
      0o644,
    ]);
    assert.equal(Deno.lstatSync(`${options.path}/.lock`).size, 0);
    await assert.rejects(Datastore.create(options), /already holds a datastore/);
    await Datastore.adopt({ ...options, name: "adopted", atimeCheck: false });
    await Deno.chmod(`${options.path}/.chunks/1234`, 0o755);
    await assert.rejects(Datastore.adopt({ ...options, atimeCheck: false }), /\.chunks\/1234" has mode 0755, not 0750/);
    await Deno.remove(`${options.path}/.chunks/1234`);
    await assert.rejects(Datastore.adopt({ ...options, atimeCheck: false }), /\.chunks\/1234/);
    const wrongOwner = { ...options, owner: { uid: 34567, gid: 34567 }, atimeCheck: false };
    await assert.rejects(Datastore.adopt(wrongOwner), /belongs to/);
  } finally {
    await new Deno.Command("rm", { args: ["-rf", root] }).output();
  }
});

Deno.test("ST-22 TM-13 a store is not made in a used directory, at a bad path or under a bad name", async () => {
  const root = await Deno.makeTempDir();
  const options = { name: "store", path: root, lockDirectory: `${root}/locks` };
  await Deno.writeTextFile(`${root}/file`, "");
  await assert.rejects(Datastore.create(options), /is not empty \(it holds "file"\)/);
  assert.ok(!await Deno.stat(`${root}/.chunks`).catch(() => false));
  await assert.rejects(Datastore.create({ ...options, path: "relative" }), /not absolute/);
  await assert.rejects(Datastore.create({ ...options, path: `${root}/file` }), /file/);
  await assert.rejects(Datastore.create({ ...options, name: "ab" }), /at least 3 characters/);
  await assert.rejects(Datastore.open({ ...options, path: `${root}/none` }), /is the path right .* mounted/);
  await Deno.remove(root, { recursive: true });
});

Deno.test("ST-30 ST-40 ST-45 TM-11 namespaces are made one level at a time and removed when empty", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  try {
    assert.equal(await store.namespaces.create("", "a"), "a");
    assert.equal(await store.namespaces.create("", "a"), "a");
    assert.equal(await store.namespaces.create("a", "b"), "a/b");
    assert.equal(await store.namespaces.create("", "ab"), "ab");
    await assert.rejects(store.namespaces.create("none", "b"), { status: 404 });
    await assert.rejects(store.namespaces.create("", "../x"), /invalid namespace name/);
    assert.ok((await Deno.lstat(`${path}/ns/a/ns/b`)).isDirectory);
    assert.deepEqual(await store.namespaces.list(), ["", "a", "a/b", "ab"]);
    assert.deepEqual(await store.namespaces.list("a"), ["a", "a/b"]);
    assert.deepEqual(await store.namespaces.list("", 1), ["", "a", "ab"]);
    assert.deepEqual(await store.namespaces.list("", 0), [""]);
    await assert.rejects(store.namespaces.list("none"), { status: 404 });

    await addSnapshot(store, { ...GROUP, ns: "a/b", time: 1000 });
    await addSnapshot(store, { ...GROUP, ns: "ab", time: 1000 });
    await store.snapshots.setProtected({ ...GROUP, ns: "a/b", time: 1000 }, true);
    await addSnapshot(store, { ...GROUP, ns: "a/b", time: 2000 });
    const none = await store.namespaces.remove("a", { deleteGroups: false });
    assert.deepEqual(none, { removedGroups: 0, removedSnapshots: 0, protectedSnapshots: 0, complete: false });
    const some = await store.namespaces.remove("a", { deleteGroups: true });
    assert.deepEqual(some, { removedGroups: 0, removedSnapshots: 1, protectedSnapshots: 1, complete: false });
    assert.deepEqual((await store.snapshots.times({ ...GROUP, ns: "a/b" })).map(({ time }) => time), [1000]);
    await store.snapshots.setProtected({ ...GROUP, ns: "a/b", time: 1000 }, false);
    const all = await store.namespaces.remove("a", { deleteGroups: true });
    assert.deepEqual(all, { removedGroups: 1, removedSnapshots: 1, protectedSnapshots: 0, complete: true });
    assert.deepEqual(await store.namespaces.list(), ["", "ab"]);
    assert.equal((await store.snapshots.list("ab")).length, 1);
    await assert.rejects(store.namespaces.remove("", { deleteGroups: true }), /root namespace/);
    await assert.rejects(store.namespaces.remove("a", { deleteGroups: true }), /does not exist/);
    assert.equal((await store.namespaces.remove("a", { deleteGroups: false })).complete, true);
  } finally {
    await cleanUp();
  }
});

Deno.test("TM-11 a namespace has at most seven levels", async () => {
  const { store, cleanUp } = await makeTestStore();
  let ns = "";
  for (const name of "abcdefg") ns = await store.namespaces.create(ns, name);
  await assert.rejects(store.namespaces.create(ns, "h"), /too deep/);
  assert.equal((await store.namespaces.list()).length, 8);
  await cleanUp();
});

Deno.test("TM-12 groups are sorted by type, then by number, then by name", async () => {
  const { store, cleanUp } = await makeTestStore();
  for (const [type, id] of [["vm", "100"], ["vm", "9"], ["vm", "x"], ["host", "b"], ["ct", "7"]] as const) {
    await addSnapshot(store, { ns: "", type, id, time: 1000 });
  }
  const names = (await store.groups.list("")).map(({ type, id }) => `${type}/${id}`);
  assert.deepEqual(names, ["ct/7", "host/b", "vm/9", "vm/100", "vm/x"]);
  await cleanUp();
});

Deno.test("ST-31 notes, owner, protection and verification are kept", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  try {
    const snapshot = { ...GROUP, time: 1_700_000_000 };
    await addSnapshot(store, snapshot);
    assert.equal(await Deno.readTextFile(`${path}/host/h1/owner`), "alice@pbs\n");
    assert.equal(await store.groups.owner(GROUP), "alice@pbs");
    await store.groups.setOwner(GROUP, "bob@pbs!token");
    assert.equal(await store.groups.owner(GROUP), "bob@pbs!token");
    assert.equal(await store.groups.notes(GROUP), "");
    await store.groups.setNotes(GROUP, "first\nsecond");
    assert.equal(await store.groups.notes(GROUP), "first\nsecond");
    await store.snapshots.setNotes(snapshot, "Größe\nzwei");
    await store.snapshots.setVerifyState(snapshot, OK);
    await store.snapshots.setProtected(snapshot, true);
    await store.snapshots.setProtected(snapshot, true);
    const [info] = await store.snapshots.list("");
    assert.equal(info.comment, "Größe");
    assert.deepEqual(info.verification, OK);
    assert.equal(info.protected, true);
    assert.equal(info.owner, "bob@pbs!token");
    assert.equal(await store.snapshots.notes(snapshot), "Größe\nzwei");
    assert.deepEqual(await store.snapshots.info(snapshot), info);
    assert.equal((await store.groups.list(""))[0].comment, "first\n");
    await store.snapshots.setNotes(snapshot, "");
    assert.equal(await store.snapshots.notes(snapshot), "");
    await assert.rejects(store.snapshots.setNotes({ ...snapshot, time: 5 }, "x"), /does not exist/);
    await assert.rejects(store.groups.setOwner({ ...GROUP, id: "none" }, "x@pbs"), /does not exist/);
  } finally {
    await cleanUp();
  }
});

Deno.test("ST-31 the client log is stored once, and only with a good CRC", async () => {
  const { store, cleanUp } = await makeTestStore();
  const snapshot = { ...GROUP, time: 1000 };
  await addSnapshot(store, snapshot);
  const log = await encodeBlob(new TextEncoder().encode("log"));
  const damaged = log.slice();
  damaged[damaged.length - 1] ^= 1;
  await assert.rejects(store.snapshots.uploadLog(snapshot, damaged), /CRC/);
  await store.snapshots.uploadLog(snapshot, log);
  await assert.rejects(store.snapshots.uploadLog(snapshot, log), /already contains a log/);
  const files = await store.snapshots.files(snapshot);
  assert.deepEqual(files.at(-1), { filename: "client.log.blob" });
  await cleanUp();
});

Deno.test("a snapshot is not forgotten while it is protected, read or written; its group goes with the last one", async () => {
  const { store, path, options, cleanUp } = await makeTestStore();
  try {
    const [first, second] = [{ ...GROUP, time: 1000 }, { ...GROUP, time: 2000 }];
    await addSnapshot(store, first);
    await addSnapshot(store, second);
    await store.groups.setNotes(GROUP, "notes");
    const other = await Datastore.open(options);
    const reader = await other.snapshots.open(first);
    await assert.rejects(store.snapshots.forget(first), /unable to acquire snapshot lock/);
    reader.close();
    await store.snapshots.setProtected(first, true);
    await assert.rejects(store.snapshots.forget(first), /protected/);
    await store.snapshots.setProtected(first, false);
    await store.snapshots.forget(first);
    await assert.rejects(store.snapshots.forget(first), /does not exist/);
    const writer = await store.beginBackup({ snapshot: { ...GROUP, time: 3000 }, caller: "alice@pbs" });
    await assert.rejects(other.snapshots.forget({ ...GROUP, time: 3000 }), /unable to acquire/);
    // The base of a running backup is locked, too.
    await assert.rejects(other.snapshots.forget(second), /unable to acquire/);
    await writer.abort();
    await other.snapshots.forget(second);
    assert.equal(await store.groups.exists(GROUP), false);
    await assert.rejects(Deno.lstat(`${path}/host/h1`));
    assert.deepEqual([...Deno.readDirSync(`${options.lockDirectory}/test`)].filter(({ isFile }) => isFile), []);
  } finally {
    await cleanUp();
  }
});

Deno.test("removing a group leaves protected snapshots and says how many", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  for (const time of [1000, 2000, 3000]) await addSnapshot(store, { ...GROUP, time });
  await Deno.writeTextFile(`${path}/host/h1/owner.tmp_aB3dE6`, "left by a killed process");
  await store.snapshots.setProtected({ ...GROUP, time: 2000 }, true);
  assert.deepEqual(await store.groups.remove(GROUP), { removedGroups: 0, removedSnapshots: 2, protectedSnapshots: 1 });
  await store.snapshots.setProtected({ ...GROUP, time: 2000 }, false);
  assert.deepEqual(await store.groups.remove(GROUP), { removedGroups: 1, removedSnapshots: 1, protectedSnapshots: 0 });
  await assert.rejects(store.groups.remove(GROUP), /does not exist/);
  await cleanUp();
});

Deno.test("removing a group goes on behind a snapshot that is being read, and says so", async () => {
  const { store, cleanUp } = await makeTestStore();
  for (const time of [1000, 2000, 3000]) await addSnapshot(store, { ...GROUP, time });
  const reader = await store.snapshots.open({ ...GROUP, time: 2000 });
  await assert.rejects(store.groups.remove(GROUP), /removed 2 snapshots of host\/h1, but not .*00:33:20Z.* being read/);
  assert.deepEqual((await store.snapshots.times(GROUP)).map(({ time }) => time), [2000]);
  reader.close();
  assert.equal((await store.groups.remove(GROUP)).removedGroups, 1);
  await cleanUp();
});

Deno.test("damaged and hostile things in the tree never break a listing", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  try {
    const good = { ...GROUP, time: 1_700_000_000 };
    await addSnapshot(store, good);
    const group = `${path}/host/h1`;
    await Deno.mkdir(`${group}/2023-11-14T22:13:21Z`);
    await Deno.writeFile(`${group}/2023-11-14T22:13:21Z/index.json.blob`, new Uint8Array([1, 2, 3]));
    await Deno.mkdir(`${group}/2023-11-14T22:13:22Z/index.json.blob`, { recursive: true });
    await Deno.mkdir(`${group}/2023-11-14T22:13:23Z`);
    await Deno.symlink("/etc/passwd", `${group}/2023-11-14T22:13:23Z/index.json.blob`);
    await Deno.symlink("/etc/passwd", `${group}/2023-11-14T22:13:23Z/root.pxar.didx`);
    await Deno.writeTextFile(`${group}/2023-11-14T22:13:23Z/drive.img.tmp_fidx`, "");
    await Deno.writeTextFile(`${group}/2023-11-14T22:13:23Z/index.json.tmp_aBc123`, "");
    for (const name of ["2023-13-14T22:13:20Z", "2023-11-14", "..x", "2023-11-14T22:13:24Z "]) {
      await Deno.mkdir(`${group}/${name}`);
    }
    await Deno.symlink(`${group}/2023-11-14T22:13:20Z`, `${group}/2023-11-14T22:13:30Z`);
    await Deno.symlink("/etc", `${path}/host/linked`);
    await Deno.mkdir(`${path}/host/-bad`);
    await Deno.mkdir(`${path}/vm/no owner`, { recursive: true });
    await Deno.mkdir(`${path}/vm/7/2023-11-14T22:13:20Z`, { recursive: true });
    await Deno.writeTextFile(`${path}/ct`, "a file where a directory belongs");
    await Deno.mkdir(`${path}/ns/x y`, { recursive: true });
    await Deno.symlink(path, `${path}/ns/loop`);

    assert.deepEqual(await store.namespaces.list(), [""]);
    await Deno.mkdir(`${path}/ns/real/ns/below`, { recursive: true });
    await Deno.symlink(`${path}/ns/real`, `${path}/ns/also`);
    assert.equal(await store.namespaces.exists("real/below"), true);
    assert.equal(await store.namespaces.exists("also/below"), false);
    assert.equal(await store.snapshots.exists({ ...good, id: "linked" }), false);
    const listed = await store.snapshots.list("");
    assert.deepEqual(listed.map(({ type, id, time }) => `${type}/${id}/${time}`), [
      "host/h1/1700000000",
      "host/h1/1700000001",
      "host/h1/1700000002",
      "host/h1/1700000003",
      "vm/7/1700000000",
    ]);
    assert.ok(listed[0].size !== undefined);
    assert.ok(listed.slice(1).every(({ size }) => size === undefined));
    assert.deepEqual(listed[1].files, [{ filename: "index.json.blob" }]);
    assert.deepEqual(listed[3].files, []);
    assert.equal(listed[4].owner, undefined);
    const groups = await store.groups.list("");
    assert.deepEqual(groups.map(({ id, lastBackup, backupCount }) => [id, lastBackup, backupCount]), [
      ["h1", 1700000001, 4],
      ["7", 1700000000, 1],
    ]);
    await assert.rejects(store.snapshots.files({ ...GROUP, time: 1700000001 }), /unable to read manifest/);
    await assert.rejects(store.snapshots.notes({ ...GROUP, time: 1700000003 }), /not a regular file/);
  } finally {
    await cleanUp();
  }
});

Deno.test("a second listing of many snapshots reads no manifest", async () => {
  const { store, path, cleanUp } = await makeTestStore();
  try {
    await addSnapshot(store, { ...GROUP, time: 1 });
    const manifest = await Deno.readFile(`${path}/host/h1/1970-01-01T00:00:01Z/index.json.blob`);
    for (let time = 2; time <= 1000; time++) {
      const directory = `${path}/host/h1/${new Date(time * 1000).toISOString().slice(0, 19)}Z`;
      await Deno.mkdir(directory);
      await Deno.writeFile(`${directory}/index.json.blob`, manifest);
    }
    const first = await store.snapshots.list("");
    assert.equal(first.length, 1000);
    const start = performance.now();
    assert.deepEqual(await store.snapshots.list(""), first);
    assert.ok(performance.now() - start < 5000, `${performance.now() - start} ms`);
    // A change is seen although the rest is remembered.
    await store.snapshots.setNotes({ ...GROUP, time: 500 }, "changed");
    assert.equal((await store.snapshots.list("")).find(({ time }) => time === 500)?.comment, "changed");
  } finally {
    await cleanUp();
  }
});

Deno.test("ST-29 a process of root gives all files to the user of the server", async () => {
  if (Deno.uid() !== 0) return;
  const owner = { uid: 34, gid: 34 };
  const { store, options, path, cleanUp } = await makeTestStore({ owner });
  const start = Date.now() - 5000;
  await addSnapshot(store, { ...GROUP, time: 1000 });
  await store.groups.setNotes(GROUP, "notes");
  await store.snapshots.setProtected({ ...GROUP, time: 1000 }, true);
  const foreign: string[] = [];
  const walk = (directory: string) => {
    for (const { name, isDirectory } of Deno.readDirSync(directory)) {
      const stat = Deno.lstatSync(`${directory}/${name}`);
      const made = (stat.birthtime?.getTime() ?? 0) > start && name !== ".chunks" && name !== ".lock";
      if (made && stat.uid !== 34) foreign.push(`${directory}/${name}`);
      if (isDirectory) walk(`${directory}/${name}`);
    }
  };
  walk(path);
  walk(options.lockDirectory);
  assert.deepEqual(foreign, []);
  await cleanUp();
});

Deno.test("free space is reported in bytes", async () => {
  const { store, cleanUp } = await makeTestStore();
  const { total, used, avail } = await store.space();
  assert.ok(total > 1e6 && used <= total && avail <= total);
  await cleanUp();
});
