import assert from "node:assert/strict";
import { close, open, OpenFlag } from "./fs.ts";
import { flock, recordLockHolder, tryFlock, tryRecordLock, unlockFlock, unlockRecord } from "./lock.ts";

function lockFile(): string {
  return Deno.makeTempFileSync({ prefix: "dozo-lock-" });
}

Deno.test("flock: shared locks live together, an exclusive one stands alone", async () => {
  const path = lockFile();
  const [a, b] = [open(path, OpenFlag.READ_WRITE), open(path, OpenFlag.READ_WRITE)];
  assert.equal(tryFlock(a, "shared"), true);
  assert.equal(tryFlock(b, "shared"), true);
  assert.equal(tryFlock(a, "exclusive"), false);
  unlockFlock(b);
  // A failed change may have given the shared lock up, as the kernel does not convert atomically.
  assert.equal(tryFlock(a, "exclusive"), true);
  assert.equal(await flock(b, "shared", { waitMs: 20 }), false);
  const waiting = flock(b, "shared", { waitMs: 5000 });
  setTimeout(() => close(a), 10);
  assert.equal(await waiting, true);
  await assert.rejects(() => flock(b, "shared", { signal: AbortSignal.abort() }), { name: "AbortError" });
  close(b);
  Deno.removeSync(path);
});

Deno.test("record locks: another process is kept out and named, and let in afterwards", async () => {
  const path = lockFile();
  const source = `
    const { open, close } = await import(${JSON.stringify(new URL("./fs.ts", import.meta.url).href)});
    const { tryRecordLock } = await import(${JSON.stringify(new URL("./lock.ts", import.meta.url).href)});
    const fd = open(${JSON.stringify(path)}, 2);
    console.log(tryRecordLock(fd, "exclusive"));
    await Deno.stdin.read(new Uint8Array(1));
  `;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", source],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  assert.equal(new TextDecoder().decode((await reader.read()).value).trim(), "true");
  const fd = open(path, OpenFlag.READ_WRITE);
  assert.equal(tryRecordLock(fd, "shared"), false);
  assert.equal(recordLockHolder(fd, "shared"), child.pid);
  await child.stdin.close();
  await child.status;
  await reader.cancel();
  assert.equal(recordLockHolder(fd, "exclusive"), null);
  assert.equal(tryRecordLock(fd, "exclusive"), true);
  assert.equal(tryRecordLock(fd, "shared"), true);
  unlockRecord(fd);
  close(fd);
  Deno.removeSync(path);
});
