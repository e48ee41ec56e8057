/**
 * `deno task test`: everything that says whether this checkout is sound. Provisions the machine, checks the source, runs
 * the unit tests, builds `dist/dozo` and runs the end-to-end tests against it. The last line is `N passed, N failed,
 * N skipped`; the exit code is 0 only when nothing failed.
 */
import { ROOT, sourceFiles } from "./source_files.ts";

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const failures: string[] = [];

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<number> {
  const child = new Deno.Command(command, {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
    stdin: "null",
    stdout: "inherit",
    stderr: "inherit",
  });
  return (await child.spawn().status).code;
}

/** Runs one check that counts as one test. */
async function check(name: string, command: string, args: string[]): Promise<boolean> {
  const started = performance.now();
  const code = await run(command, args);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`check ${name}: ${code === 0 ? "ok" : `FAILED (exit code ${code})`} (${seconds} s)`);
  if (code === 0) {
    total.passed++;
    return true;
  }
  total.failed++;
  failures.push(name);
  return false;
}

/** Test results in a JUnit report; undefined when the report cannot be read as one. */
export function readJunit(xml: string): Tally & { failedNames: string[] } | undefined {
  const tally: Tally & { failedNames: string[] } = { passed: 0, failed: 0, skipped: 0, failedNames: [] };
  if (!/<testsuites?\b/.test(xml)) return undefined;
  for (const [, attributes, body] of xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)) {
    if (body !== undefined && /<(?:failure|error)\b/.test(body)) {
      tally.failed++;
      tally.failedNames.push(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "?");
    } else if (body !== undefined && /<skipped\b/.test(body)) tally.skipped++;
    else tally.passed++;
  }
  return tally;
}

/**
 * Runs the test files, as many processes at a time as there are cores. Each batch has a process of its own, since tests may
 * look at what belongs to a whole process: descriptors, signals, the working directory. Its output comes in one piece.
 */
async function tests(name: string, batches: string[][], env: Record<string, string> = {}): Promise<void> {
  const waiting = [...batches];
  const work = async () => {
    for (let batch = waiting.shift(); batch; batch = waiting.shift()) await testBatch(name, batch, env);
  };
  await Promise.all(Array.from({ length: Math.max(2, navigator.hardwareConcurrency) }, work));
}

/** Runs one batch and adds what its report says; a run that dies without a report counts as one failure. */
async function testBatch(name: string, files: string[], env: Record<string, string>): Promise<void> {
  const report = await Deno.makeTempFile({ prefix: "dozo-junit-", suffix: ".xml" });
  try {
    // Types were checked before, for all files at once.
    const args = ["test", "-A", "--quiet", "--no-check", `--junit-path=${report}`, ...files];
    const command = new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...env },
      stdin: "null",
    });
    const { code, stdout, stderr } = await command.output();
    await Deno.stdout.write(stdout);
    await Deno.stderr.write(stderr);
    const result = readJunit(await Deno.readTextFile(report));
    total.passed += result?.passed ?? 0;
    total.skipped += result?.skipped ?? 0;
    total.failed += result?.failed ?? 0;
    failures.push(...(result?.failedNames ?? []).map((test) => `${name}: ${test}`));
    // A module that does not load, a leak found at the end or a crash makes no test case of its own.
    if (code !== 0 && !result?.failed) {
      total.failed++;
      failures.push(`${name}: ${files.join(" ")}: exit code ${code}`);
    }
  } finally {
    await Deno.remove(report);
  }
}

/** The test files below `folders`, those of one room together. */
function batchesByRoom(folders: readonly string[]): string[][] {
  const rooms = Map.groupBy(testFiles(folders), (path) => path.split("/").slice(0, 2).join("/"));
  return [...rooms.values()];
}

function testFiles(folders: readonly string[]): string[] {
  return sourceFiles(folders).filter((path) => /_test\.tsx?$/.test(path));
}

async function main(): Promise<number> {
  const deno = Deno.execPath();
  await check("provision", "bash", ["scripts/provision", "test"]);
  await check("fmt", deno, ["fmt", "--check", "--quiet"]);
  await check("lint", deno, ["lint", "--quiet"]);
  await check("types", deno, ["check", "--quiet"]);
  await check("layers", deno, ["run", "-A", "scripts/layers.ts"]);
  await check("rows", deno, ["run", "-A", "scripts/rows.ts", "--summary"]);
  await tests("unit", batchesByRoom(["src", "ui", "scripts", "installer"]));
  await tests("interop", [testFiles(["test/interop"])]);
  if (await check("build", deno, ["run", "-A", "scripts/build.ts"])) {
    await tests("e2e", testFiles(["test/e2e"]).map((file) => [file]), { DOZO_BIN: `${ROOT}/dist/dozo` });
  }
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
