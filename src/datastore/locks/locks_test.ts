import assert from "node:assert/strict";
import { LockDirectory } from "./lock_directory.ts";
import { lockFileName, manifestLockName, snapshotLockName } from "./lock_names.ts";
import { lockProcessExclusive, lockProcessShared } from "./process_lock.ts";
import { oldestWriter, registerWriter } from "./writers.ts";

const GROUP = { ns: "", type: "vm", id: "100" } as const;
const SNAPSHOT = { ...GROUP, time: 1651479093 } as const;

Deno.test("lock files have the names that PBS gives them", () => {
  assert.equal(lockFileName("vm/100"), "vm-100");
  assert.equal(snapshotLockName(SNAPSHOT), "vm-100-2022\\x2d05\\x2d02T08\\x3a11\\x3a33Z");
  assert.equal(manifestLockName(SNAPSHOT), "vm-100-2022\\x2d05\\x2d02T08\\x3a11\\x3a33Z-.index.json.lck");
  assert.equal(snapshotLockName({ ...SNAPSHOT, ns: "a/b" }), "a:b/vm-100-2022\\x2d05\\x2d02T08\\x3a11\\x3a33Z");
  const long = lockFileName(`host/${"x-".repeat(100)}`);
  assert.match(long, /^hashed\/.{80}\.\.\..{80}-[0-9a-f]{64}$/);
  assert.ok(long.length - "hashed/".length < 255);
});

Deno.test("exclusive and shared locks exclude each other also within a process", async () => {
  const path = await Deno.makeTempDir();
  const locks = new LockDirectory(`${path}/locks/store`);
  const first = await locks.snapshot(SNAPSHOT, "shared");
  const second = await locks.snapshot(SNAPSHOT, "shared");
  await assert.rejects(locks.snapshot(SNAPSHOT, "exclusive"), /unable to acquire snapshot lock/);
  first.release();
  first.release();
  assert.equal(await locks.trySnapshot(SNAPSHOT, "exclusive"), undefined);
  second.release();
  const exclusive = await locks.snapshot(SNAPSHOT, "exclusive");
  assert.equal(await locks.trySnapshot(SNAPSHOT, "shared"), undefined);
  assert.equal((Deno.lstatSync(locks.snapshotPath(SNAPSHOT)).mode ?? 0) & 0o777, 0o660 & ~Deno.umask());
  exclusive.remove();
  using again = await locks.snapshot(SNAPSHOT, "exclusive");
  assert.ok(again);
  await Deno.remove(path, { recursive: true });
});

Deno.test("a lock on a removed lock file does not count", async () => {
  const path = await Deno.makeTempDir();
  const locks = new LockDirectory(`${path}/s`);
  const old = await locks.group(GROUP);
  Deno.removeSync(locks.groupPath(GROUP));
  // The holder of the old file excludes nobody who opens the new one; the new lock is the valid one.
  const fresh = await locks.group(GROUP);
  assert.equal(await locks.tryGroup(GROUP), undefined);
  old.release();
  assert.equal(await locks.tryGroup(GROUP), undefined);
  fresh.release();
  await Deno.remove(path, { recursive: true });
});

Deno.test("the manifest lock waits", async () => {
  const path = await Deno.makeTempDir();
  const locks = new LockDirectory(`${path}/s`);
  const first = await locks.manifest(SNAPSHOT);
  setTimeout(() => first.release(), 100);
  const second = await locks.manifest(SNAPSHOT);
  second.release();
  await Deno.remove(path, { recursive: true });
});

/** Tries to take a record lock (`F_RDLCK` 0, `F_WRLCK` 1) in another process. */
async function foreignLock(path: string, type: "shared" | "exclusive"): Promise<boolean> {
  const source = `import { lockProcessShared, lockProcessExclusive } from ${
    JSON.stringify(new URL("./process_lock.ts", import.meta.url).href)
  };
    try { ${
    type === "shared" ? "lockProcessShared(Deno.args[0], 1)" : "lockProcessExclusive(Deno.args[0])"
  }; console.log("yes"); }
    catch (error) { console.log(error.message.includes("unable to get") ? "no" : error.message); }`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, file, path],
    stderr: "inherit",
  }).output();
  await Deno.remove(file);
  const answer = new TextDecoder().decode(stdout).trim();
  assert.match(answer, /^(yes|no)$/);
  return answer === "yes";
}

Deno.test("the process lock follows its holders and excludes other processes only", async () => {
  const path = await Deno.makeTempFile();
  const first = lockProcessShared(path, 10);
  const second = lockProcessShared(path, 20);
  assert.equal(await foreignLock(path, "exclusive"), false);
  assert.equal(await foreignLock(path, "shared"), true);
  first.release();
  first.release();
  assert.equal(await foreignLock(path, "exclusive"), false);
  const exclusive = lockProcessExclusive(path);
  assert.throws(() => lockProcessExclusive(path), /already locked/);
  assert.equal(await foreignLock(path, "shared"), false);
  const third = lockProcessShared(path, 30);
  second.release();
  exclusive.release();
  assert.equal(await foreignLock(path, "exclusive"), false);
  assert.equal(await foreignLock(path, "shared"), true);
  third.release();
  assert.equal(await foreignLock(path, "exclusive"), true);
  await Deno.remove(path);
});

Deno.test("the oldest writer is known through files, dead ones do not count", async () => {
  const path = await Deno.makeTempDir();
  assert.equal(await oldestWriter(path), undefined);
  const older = await registerWriter(path, 100);
  const younger = await registerWriter(path, 200);
  assert.equal(await oldestWriter(path), 100);
  older.remove();
  assert.equal(await oldestWriter(path), 200);
  // A killed process leaves its file unlocked.
  await Deno.writeTextFile(`${path}/.writers/50-${crypto.randomUUID()}`, "");
  assert.equal(await oldestWriter(path), 200);
  younger.remove();
  assert.equal(await oldestWriter(path), undefined);
  assert.deepEqual([...Deno.readDirSync(`${path}/.writers`)], []);
  await Deno.remove(path, { recursive: true });
});
