import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import * as process from "./process.ts";

Deno.test("process: identity agrees with the runtime", () => {
  assert.equal(process.getuid(), Deno.uid());
  assert.equal(process.getgid(), Deno.gid());
  assert.equal(process.geteuid(), Deno.uid());
  assert.equal(process.getppid(), Deno.ppid);
  const mask = process.umask(0o027);
  assert.equal(process.umask(mask), 0o027);
});

Deno.test("process: a running process is told from an ended one and from another start time", async () => {
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  const start = process.processStartTime(child.pid);
  assert.ok(start !== null && start >= (process.processStartTime(Deno.pid) ?? Infinity));
  assert.equal(process.isRunning(child.pid, start), true);
  assert.equal(process.isRunning(child.pid, start + 1), false);
  assert.equal(process.kill(child.pid, 0), true);
  assert.equal(process.kill(child.pid, 15), true);
  assert.equal((await child.status).signal, "SIGTERM");
  assert.equal(process.isRunning(child.pid, start), false);
  assert.equal(process.kill(child.pid, 0), false);
  assert.throws(() => process.kill(0, 9), DozoError);
  assert.throws(() => process.kill(-1, 9), DozoError);
});

Deno.test("process: root rights are given up for good", { ignore: Deno.uid() !== 0 }, async () => {
  const url = JSON.stringify(new URL("./process.ts", import.meta.url).href);
  const source = `
    const { dropPrivileges, forbidCoreDumps, getuid, getegid, geteuid } = await import(${url});
    forbidCoreDumps();
    dropPrivileges(34, 34);
    let again = "refused";
    try { dropPrivileges(0, 0); again = "possible"; } catch {}
    console.log(getuid(), geteuid(), getegid(), again);
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", source] }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "34 34 34 refused");
});
