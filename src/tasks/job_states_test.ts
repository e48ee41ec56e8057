import assert from "node:assert/strict";
import { join } from "node:path";
import { DozoError } from "../base/errors.ts";
import { type JobKey, JobStates } from "./job_states.ts";
import { TaskStore } from "./task_store.ts";

const JOB: JobKey = { type: "prunejob", name: "daily-1" };

/** Runs `work` with fresh directories for states and tasks. */
async function withStates(work: (states: JobStates, tasks: TaskStore, file: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "dozo-jobs-" });
  const tasks = new TaskStore(join(directory, "tasks"), "pbs1");
  const states = new JobStates(join(directory, "jobstates"), tasks);
  try {
    await work(states, tasks, join(states.directory, "prunejob-daily-1.json"));
  } finally {
    await tasks.close("test is over", 0);
    await Deno.remove(directory, { recursive: true });
  }
}

const task = { type: "prunejob", id: "store1:daily-1", authId: "root@pam" };
const ok = { status: { kind: "ok" }, endTime: 1795266400 } as const;

Deno.test("a job goes from created to started to finished, in files as PBS writes them", () =>
  withStates(async (states, tasks, file) => {
    assert.equal(await states.read(JOB), undefined);
    await states.created(JOB, 1700000000);
    assert.equal(Deno.readTextFileSync(file), '{"created":{"time":1700000000}}');
    using run = await states.begin(JOB);
    assert.deepEqual(run.previous, { kind: "created", time: 1700000000 });
    const log = await tasks.start(task);
    await run.started(log.upid);
    assert.deepEqual(JSON.parse(Deno.readTextFileSync(file)), { started: { upid: log.upid } });
    assert.deepEqual(await states.read(JOB), { kind: "started", upid: log.upid });
    await log.finish();
    await run.finished(ok);
    assert.deepEqual(await states.read(JOB), { kind: "finished", upid: log.upid, result: ok });
    assert.deepEqual(JSON.parse(Deno.readTextFileSync(file)), {
      finished: { upid: log.upid, state: { OK: { endtime: 1795266400 } }, updated: null },
    });
  }));

Deno.test("a running job cannot be started again, a finished or dropped one can", () =>
  withStates(async (states) => {
    const first = await states.begin(JOB);
    await assert.rejects(states.begin(JOB), (error: Error) =>
      error instanceof DozoError && /already running/.test(error.message));
    using _other = await states.begin({ ...JOB, name: "daily-2" });
    await first.finished(ok);
    (await states.begin(JOB))[Symbol.dispose]();
    using _again = await states.begin(JOB);
  }));

Deno.test("a run without a recorded end becomes finished with what its log tells", () =>
  withStates(async (states, tasks) => {
    const run = await states.begin(JOB);
    const log = await tasks.start(task);
    await run.started(log.upid);
    run[Symbol.dispose]();
    assert.equal((await states.read(JOB))?.kind, "started");
    log.warn("careful");
    await log.finish();
    const state = await states.read(JOB);
    assert.ok(state?.kind === "finished");
    assert.deepEqual(state.result.status, { kind: "warning", count: 1 });
    await Deno.remove(tasks.logPath(log.upid));
    const lost = await states.read(JOB);
    assert.ok(lost?.kind === "finished" && lost.result.status.kind === "unknown");
  }));

Deno.test("a changed schedule is noted beside the last run, and not while the job runs", () =>
  withStates(async (states, tasks) => {
    await states.scheduleChanged(JOB, 1700000000);
    assert.deepEqual(await states.read(JOB), { kind: "created", time: 1700000000 });
    const run = await states.begin(JOB);
    const log = await tasks.start(task);
    await run.started(log.upid);
    await states.scheduleChanged(JOB, 1800000000);
    assert.equal((await states.read(JOB))?.kind, "started");
    await log.finish();
    await run.finished(ok);
    await states.scheduleChanged(JOB, 1900000000);
    const state = await states.read(JOB);
    assert.ok(state?.kind === "finished" && state.updated === 1900000000 && state.upid === log.upid);
  }));

Deno.test("the end of a run does not bring back the state of a job that was removed or created anew", () =>
  withStates(async (states, tasks, file) => {
    const log = await tasks.start(task);
    const run = await states.begin(JOB);
    await run.started(log.upid);
    await states.remove(JOB);
    await run.finished(ok);
    assert.equal(await states.read(JOB), undefined);
    const second = await states.begin(JOB);
    await second.started(log.upid);
    await states.created(JOB, 1700000000);
    await second.finished(ok);
    assert.equal(Deno.readTextFileSync(file), '{"created":{"time":1700000000}}');
    await states.remove(JOB);
    await states.remove(JOB);
    assert.deepEqual([...Deno.readDirSync(states.directory)], []);
    await log.finish();
  }));

Deno.test("a job without state or with a damaged one goes on as if just created", () =>
  withStates(async (states, _tasks, file) => {
    assert.deepEqual(await states.readOrCreate(JOB, 1700000000), { kind: "created", time: 1700000000 });
    assert.deepEqual(await states.readOrCreate(JOB, 1800000000), { kind: "created", time: 1700000000 });
    for (const damaged of ["", '{"started":{"upid":"UPID:', "\0".repeat(100), "x".repeat((1 << 20) + 1)]) {
      Deno.writeTextFileSync(file, damaged);
      Deno.utimeSync(file, 1750000000, 1750000000);
      assert.deepEqual(await states.read(JOB), { kind: "created", time: 1750000000 });
    }
  }));

Deno.test("names that would leave the directory are refused", () =>
  withStates(async (states) => {
    for (const name of ["", "../x", "a/b", ".x", "a\0b", "x".repeat(200)]) {
      await assert.rejects(states.created({ ...JOB, name }, 1), DozoError);
      await assert.rejects(states.begin({ ...JOB, name }), DozoError);
    }
  }));

Deno.test("of several processes one gets the job, and its death gives the job back", () =>
  withStates(async (states) => {
    const script = join(states.directory, "..", "begin.ts");
    const module = new URL("./job_states.ts", import.meta.url).href;
    await Deno.writeTextFile(
      script,
      `import { JobStates } from ${JSON.stringify(module)};
      const tasks = { isRunning: () => Promise.resolve(false), result: () => Promise.resolve(undefined) };
      const states = new JobStates(Deno.args[0], tasks);
      try {
        await states.begin({ type: "prunejob", name: "daily-1" });
        console.log("got it");
        setInterval(() => {}, 1000);
      } catch (error) {
        console.log(error.message);
      }`,
    );
    const config = new URL("../../deno.json", import.meta.url).pathname;
    const start = () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--quiet", "--no-check", "--no-lock", "--config", config, script, states.directory],
        stdout: "piped",
        stdin: "null",
      }).spawn();
    const children = [start(), start(), start()];
    const lines = await Promise.all(children.map(async (child) => {
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const { value } = await reader.read();
      await reader.cancel();
      return value ?? "";
    }));
    assert.equal(lines.filter((line) => line.startsWith("got it")).length, 1, lines.join());
    assert.equal(lines.filter((line) => line.includes("already running")).length, 2, lines.join());
    await assert.rejects(states.begin(JOB), /already running/);
    children[lines.findIndex((line) => line.startsWith("got it"))].kill("SIGKILL");
    await Promise.all(children.map((child) => child.status));
    using _run = await states.begin(JOB);
  }));

Deno.test("many changes at once leave a whole state", () =>
  withStates(async (states) => {
    await states.created(JOB, 1);
    const work = Array.from({ length: 20 }, async (_, i) => {
      await states.scheduleChanged(JOB, 100 + i);
      assert.equal((await states.read(JOB))?.kind, "created");
    });
    await Promise.all(work);
    using _run = await states.begin(JOB);
    const left = [...Deno.readDirSync(states.directory)].map((entry) => entry.name).sort();
    assert.deepEqual(left, ["prunejob-daily-1.json", "prunejob-daily-1.lck"]);
  }));
