import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { DozoError } from "../base/errors.ts";
import { parseUpid } from "../formats/upid.ts";
import { formatTaskLine, parseLogTail, parseTaskLine, parseTaskList } from "./task_record.ts";
import { formatTaskStatus, parseTaskStatus } from "./task_status.ts";
import { processStart } from "./task_process.ts";
import { TaskStore } from "./task_store.ts";

const VECTORS = new URL("../../test/vectors/tasks/", import.meta.url).pathname;
const vectorText = (name: string) => Deno.readTextFileSync(join(VECTORS, name));

/** Runs `work` with a fresh task directory. */
async function withTasks(work: (tasks: TaskStore, directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "dozo-tasks-" });
  const tasks = new TaskStore(join(directory, "tasks"), "pbs1");
  try {
    await work(tasks, tasks.directory);
  } finally {
    await tasks.close("test is over", 0);
    await Deno.remove(directory, { recursive: true });
  }
}

const logOf = (tasks: TaskStore, upid: string) => Deno.readTextFileSync(tasks.logPath(upid));

Deno.test("a task writes a log, is listed while it runs and archived when it ends", () =>
  withTasks(async (tasks, directory) => {
    const log = await tasks.start({ type: "backup", id: "store1:vm/100", authId: "alice@pbs!t" });
    const upid = parseUpid(log.upid);
    assert.equal(upid.workerId, "store1:vm/100");
    assert.equal(upid.pid, Deno.pid);
    assert.equal(Deno.readTextFileSync(join(directory, "active")), `${log.upid}\n`);
    assert.ok(await tasks.isRunning(log.upid));
    assert.equal(await tasks.result(log.upid), undefined);
    assert.equal((await tasks.list({ running: true })).tasks[0].status, undefined);
    log.log("hello");
    log.log("two\nlines");
    await log.finish();
    await log.finish(new Error("too late"));
    log.log("nobody writes this");
    assert.match(
      logOf(tasks, log.upid),
      /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d): hello\n\1: two\nlines\n\S{25}: TASK OK\n$/,
    );
    assert.equal(Deno.readTextFileSync(join(directory, "active")), "");
    const line = Deno.readTextFileSync(join(directory, "archive"));
    assert.match(line, /^UPID:\S+ [0-9A-F]{8} OK\n$/);
    assert.equal(formatTaskLine(parseTaskLine(line.trimEnd())!), line);
    assert.equal((await tasks.result(log.upid))?.status, "OK");
    assert.ok(!(await tasks.isRunning(log.upid)));
    assert.equal((await tasks.list()).tasks[0].upid, log.upid);
    assert.equal((await tasks.list({ running: true })).tasks.length, 0);
    const bucket = (upid.pstart % 256).toString(16).toUpperCase().padStart(2, "0");
    assert.equal(tasks.logPath(log.upid), join(directory, bucket, log.upid));
  }));

Deno.test("warnings and errors become the status, an error on one line", () =>
  withTasks(async (tasks) => {
    await tasks.run({ type: "verify", authId: "root@pam" }, (log) => {
      log.warn("first");
      log.warn("second");
      assert.equal(log.warnings, 2);
      return Promise.resolve();
    });
    const failing = tasks.run({ type: "sync", id: "s", authId: "root@pam" }, () => {
      throw new DozoError("went\nwrong");
    });
    await assert.rejects(failing, /went/);
    const { tasks: list, total } = await tasks.list();
    assert.deepEqual(list.map((entry) => entry.status), ["went wrong", "WARNINGS: 2"]);
    assert.equal(total, 2);
    assert.match(logOf(tasks, list[0].upid), /: TASK ERROR: went wrong\n$/);
    assert.match(logOf(tasks, list[1].upid), /: WARN: first\n.*: WARN: second\n.*: TASK WARNINGS: 2\n$/);
    assert.deepEqual((await tasks.list({ statuses: ["warning"] })).tasks.map((entry) => entry.workerType), ["verify"]);
    assert.equal(list[1].workerId, null);
  }));

Deno.test("an abort request reaches the task, also from another process", () =>
  withTasks(async (tasks, directory) => {
    const log = await tasks.start({ type: "verify", id: "s", authId: "root@pam" });
    log.checkAbort();
    await tasks.requestAbort(log.upid);
    assert.throws(() => log.checkAbort(), /abort requested/);
    await log.finish(log.signal.reason);
    assert.equal((await tasks.result(log.upid))?.status, "abort requested - aborting task");
    assert.match(logOf(tasks, log.upid), /received abort request/);
    await tasks.requestAbort(log.upid);

    const remote = await tasks.start({ type: "verify", id: "s", authId: "root@pam" });
    const aborted = new Promise((resolve) => remote.signal.addEventListener("abort", resolve));
    // A second store has no task of its own: it leaves a flag, as another process would.
    Deno.mkdirSync(join(directory, ".abort"), { recursive: true });
    Deno.writeTextFileSync(join(directory, ".abort", remote.upid), "");
    // The store's timer does not keep a process alive; this one does.
    const keepAlive = setTimeout(() => {}, 10000);
    await aborted;
    clearTimeout(keepAlive);
    await remote.finish(remote.signal.reason);
    assert.deepEqual([...Deno.readDirSync(join(directory, ".abort"))], []);
  }));

Deno.test("closing aborts the tasks of the process and waits for them", () =>
  withTasks(async (tasks) => {
    const log = await tasks.start({ type: "backup", id: "s:vm/1", authId: "root@pam" });
    log.signal.addEventListener("abort", () => void log.finish(log.signal.reason));
    await tasks.close("server is shutting down");
    assert.equal((await tasks.result(log.upid))?.status, "server is shutting down");
    await tasks.start({ type: "backup", id: "s:vm/2", authId: "root@pam" });
    const before = performance.now();
    await tasks.close("server is shutting down", 50);
    assert.ok(performance.now() - before < 2000);
  }));

Deno.test("a task of a process that died is archived with what its log tells", () =>
  withTasks(async (tasks, directory) => {
    const dead = (id: string, task: string) => `UPID:pbs1:0000000${id}:00000001:${task}:6B019300:backup:s:root@pam:`;
    const [lost, ended, cut] = [dead("1", "00000001"), dead("1", "00000002"), dead("1", "00000003")];
    Deno.mkdirSync(join(directory, "01"), { recursive: true });
    Deno.writeTextFileSync(join(directory, "active"), `${lost}\n${ended}\ngarbage\n${cut}\n`);
    Deno.writeTextFileSync(
      tasks.logPath(ended),
      "2026-11-21T12:50:08+00:00: x\n2026-11-21T12:50:09+00:00: TASK WARNINGS: 3\n",
    );
    Deno.writeTextFileSync(tasks.logPath(cut), "2026-11-21T12:50:08+00:00: x\n2026-11-21T12:5");
    const { tasks: list } = await tasks.list();
    const statusOf = (upid: string) => list.find((entry) => entry.upid === upid);
    assert.equal(statusOf(ended)?.status, "WARNINGS: 3");
    assert.equal(statusOf(ended)?.endTime, Date.parse("2026-11-21T12:50:09Z") / 1000);
    assert.equal(statusOf(lost)?.status, "unknown");
    assert.equal(statusOf(lost)?.endTime, 0x6b019300);
    assert.equal(statusOf(cut)?.status, "unknown");
    assert.ok(!(await tasks.isRunning(lost)));
    assert.equal(Deno.readTextFileSync(join(directory, "active")), "");
    assert.equal((await tasks.result(lost))?.endTime, undefined);
    await assert.rejects(tasks.readLog(lost, 0, 50), (error: DozoError) => error.status === 400);
  }));

Deno.test("log lines are paged as the API does it", () =>
  withTasks(async (tasks) => {
    const log = await tasks.start({ type: "x", authId: "root@pam" });
    for (let i = 1; i <= 5; i++) log.log(`line ${i} ${"é".repeat(i === 3 ? 40000 : 1)}`);
    const read = async (start: number, limit: number) => {
      const { lines, total } = await tasks.readLog(log.upid, start, limit);
      assert.equal(total, 5);
      return lines.map((line) => line.n);
    };
    assert.deepEqual(await read(0, 2), [1, 2]);
    assert.deepEqual(await read(1, 2), [1, 2]);
    assert.deepEqual(await read(2, 2), [2, 3]);
    assert.deepEqual(await read(0, 0), [1, 2, 3, 4, 5]);
    assert.deepEqual(await read(99, 2), []);
    assert.equal((await tasks.readLog(log.upid, 3, 1)).lines[0].t.length, 25 + 2 + 7 + 40000);
    await log.finish();
    await assert.rejects(tasks.readLog("../../etc/passwd", 0, 0), /UPID/);
  }));

Deno.test("the task list of a real server gives the answers of its API", () =>
  withTasks(async (tasks, directory) => {
    Deno.mkdirSync(directory, { recursive: true });
    // The one running task stays running: it gets the name of a process that lives.
    const hex = (value: number) => value.toString(16).toUpperCase().padStart(8, "0");
    Deno.writeTextFileSync(join(directory, "archive"), vectorText("archive"));
    const running = vectorText("active").replace(
      "0000734B:0002DC73",
      `${hex(Deno.ppid)}:${hex(processStart(Deno.ppid)!)}`,
    );
    Deno.writeTextFileSync(join(directory, "active"), running);
    let checked = 0;
    for (const line of vectorText("api.jsonl").trim().split("\n")) {
      const row = JSON.parse(line);
      const url = new URL(row.url, "http://x");
      if (!url.pathname.endsWith("/tasks") || row.auth !== "root@pam") continue;
      const number = (name: string) => url.searchParams.has(name) ? Number(url.searchParams.get(name)) : undefined;
      const { tasks: list, total } = await tasks.list({
        start: number("start"),
        limit: number("limit"),
        errors: url.searchParams.has("errors"),
        running: url.searchParams.has("running"),
        type: url.searchParams.get("typefilter") ?? undefined,
        user: url.searchParams.get("userfilter") ?? undefined,
        store: url.searchParams.get("store") ?? undefined,
        since: number("since"),
        until: number("until"),
        statuses: url.searchParams.getAll("statusfilter") as ("warning" | "error")[],
      });
      const shown = list.map((entry) => ({
        upid: entry.upid === running.trim() ? vectorText("active").trim() : entry.upid,
        end: entry.endTime,
        status: entry.status,
      }));
      const expected = row.json.data.map((entry: { upid: string; endtime?: number; status?: string }) => ({
        upid: entry.upid,
        end: entry.endtime,
        status: entry.status,
      }));
      assert.deepEqual(shown, expected, row.url);
      assert.equal(total, row.json.total, row.url);
      checked++;
    }
    assert.ok(checked >= 12);
  }));

Deno.test("logs of a real server have the status that it reports", () => {
  for (const task of JSON.parse(vectorText("tasks.json"))) {
    const tail = vectorText(task["log-file"]);
    const { exitstatus, endtime, status } = task["status-answer"].data;
    const result = parseLogTail(tail);
    if (status === "running") assert.equal(result, undefined);
    else assert.deepEqual([formatTaskStatus(result!.status), result!.endTime], [exitstatus, endtime], task["log-file"]);
  }
});

Deno.test("several processes share the lists without losing a task", () =>
  withTasks(async (tasks, directory) => {
    const script = `
      import { TaskStore } from ${JSON.stringify(new URL("./task_store.ts", import.meta.url).href)};
      const tasks = new TaskStore(${JSON.stringify(directory)}, "pbs1");
      for (let i = 0; i < 10; i++) {
        const logs = await Promise.all([0, 1].map(() => tasks.start({ type: "backup", id: "s:vm/" + i, authId: "root@pam" })));
        for (const log of logs) { log.log("x"); await log.finish(); }
      }
      await tasks.start({ type: "reader", authId: "root@pam" });
      Deno.exit(0);`;
    const file = join(directory, "..", "worker.ts");
    Deno.writeTextFileSync(file, script);
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const run = () =>
      new Deno.Command(Deno.execPath(), { args: ["run", "-A", "--quiet", "--config", config, "--no-lock", file] })
        .output();
    for (const { code, stderr } of await Promise.all([run(), run()])) {
      assert.equal(code, 0, new TextDecoder().decode(stderr));
    }
    const { tasks: list } = await tasks.list({ limit: 0 });
    assert.equal(list.length, 42);
    assert.equal(
      new Set(list.map((entry) => entry.upid)).size,
      42,
    );
    assert.equal(list.filter((entry) => entry.status === "OK").length, 40);
    assert.equal(list.filter((entry) => entry.status === "unknown").length, 2);
  }));

Deno.test("a worker id that would make the UPID too long for a file name is cut", () =>
  withTasks(async (tasks) => {
    const log = await tasks.start({ type: "backup", id: "s:vm/" + "-".repeat(200), authId: "root@pam" });
    assert.ok(log.upid.length <= 255);
    await log.finish();
    await assert.rejects(tasks.start({ type: "a b", authId: "root@pam" }), /UPID/);
    assert.equal((await tasks.list()).tasks.length, 1);
  }));

Deno.test("large lists are rotated, old ones and their logs removed", () =>
  withTasks(async (tasks, directory) => {
    const upids: string[] = [];
    for (let i = 0; i < 4; i++) {
      const log = await tasks.start({ type: "backup", id: `s:vm/${i}`, authId: "root@pam" });
      await log.finish();
      upids.unshift(log.upid);
      assert.equal(await tasks.rotate({ maxSize: 10 }), true);
    }
    assert.equal(await tasks.rotate({ maxSize: 10 }), false);
    const names = [...Deno.readDirSync(directory)].map((entry) => entry.name).filter((name) =>
      name.startsWith("archive")
    ).sort();
    assert.deepEqual(names, ["archive", "archive.1", "archive.2.zst", "archive.3.zst", "archive.4.zst"]);
    assert.deepEqual((await tasks.list()).tasks.map((entry) => entry.upid), upids);
    const old = `UPID:pbs1:00000001:00000001:00000001:60000000:backup:s:root@pam:`;
    Deno.mkdirSync(join(directory, "01"), { recursive: true });
    Deno.writeTextFileSync(tasks.logPath(old), "x\n");
    Deno.writeTextFileSync(join(directory, "archive.1"), `${old} 60000001 OK\n`);
    await tasks.rotate();
    assert.ok(Deno.statSync(tasks.logPath(old)));
    await tasks.rotate({ maxDays: 30 });
    assert.throws(() => Deno.statSync(tasks.logPath(old)), Deno.errors.NotFound);
    assert.equal((await tasks.list()).tasks.length, 3);
    assert.ok(Deno.statSync(tasks.logPath(upids[0])));
  }));

Deno.test("rotated parts of a real server are read", () =>
  withTasks(async (tasks, directory) => {
    Deno.mkdirSync(directory, { recursive: true });
    for (const name of ["archive", "archive.2.zst"]) {
      Deno.copyFileSync(join(VECTORS, "archive.rotated", name), join(directory, name));
    }
    const { tasks: list } = await tasks.list({ limit: 0 });
    assert.ok(list.length > 50);
    Deno.writeTextFileSync(join(directory, "archive.2.zst"), "damaged");
    assert.equal((await tasks.list({ limit: 0 })).tasks.length, 1);
  }));

Deno.test("property: statuses and list lines come back; fuzz: any text is lines or none", () => {
  const status = fc.oneof(
    fc.constantFrom({ kind: "ok" as const }, { kind: "unknown" as const }),
    fc.nat().map((count) => ({ kind: "warning" as const, count })),
    fc.stringMatching(/^[a-z][a-z :-]*[a-z]$/).filter((text) => text !== "unknown").map((message) => ({
      kind: "error" as const,
      message,
    })),
  );
  fc.assert(fc.property(status, (value) => assert.deepEqual(parseTaskStatus(formatTaskStatus(value)), value)));
  assert.deepEqual(parseTaskStatus("ERROR: x"), { kind: "error", message: "x" });
  const archive = vectorText("archive");
  assert.equal(parseTaskList(archive).map(formatTaskLine).join(""), archive);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(archive.length - 1), fc.string({ maxLength: 3 })), { maxLength: 5 }),
      (edits) => {
        let text = archive;
        for (const [at, piece] of edits) text = text.slice(0, at) + piece + text.slice(at + 1);
        parseTaskList(text);
        parseLogTail(text);
      },
    ),
  );
});
