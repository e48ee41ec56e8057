/**
 * `deno task test`: everything that says whether this checkout is sound. Provisions the machine, checks the source, runs
 * the unit tests, builds `dist/dozo` and runs the end-to-end tests against it. The last line is `N passed, N failed,
 * N skipped`; the exit code is 0 only when nothing failed.
 */
import { ROOT } from "./source_files.ts";

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

/** Runs `deno test` on `paths` and adds what its report says; a run that dies without a report counts as one failure. */
async function tests(name: string, paths: string[], options: { parallel: boolean; env?: Record<string, string> }) {
  const present = paths.filter((path) => [...Deno.readDirSync(ROOT)].some(({ name }) => name === path.split("/")[0]));
  const report = await Deno.makeTempFile({ prefix: "dozo-junit-", suffix: ".xml" });
  try {
    const args = ["test", "-A", "--quiet", "--permit-no-files", `--junit-path=${report}`];
    if (options.parallel) args.push("--parallel");
    const code = await run(Deno.execPath(), [...args, ...present], options.env);
    const result = readJunit(await Deno.readTextFile(report));
    total.passed += result?.passed ?? 0;
    total.skipped += result?.skipped ?? 0;
    total.failed += result?.failed ?? 0;
    failures.push(...(result?.failedNames ?? []).map((test) => `${name}: ${test}`));
    // A module that does not load, a leak found at the end or a crash makes no test case of its own.
    if (code !== 0 && !result?.failed) {
      total.failed++;
      failures.push(`${name}: exit code ${code}`);
    }
  } finally {
    await Deno.remove(report);
  }
}

async function main(): Promise<number> {
  const deno = Deno.execPath();
  await check("provision", "bash", ["scripts/provision", "test"]);
  await check("fmt", deno, ["fmt", "--check", "--quiet"]);
  await check("lint", deno, ["lint", "--quiet"]);
  await check("types", deno, ["check", "--quiet"]);
  await check("layers", deno, ["run", "-A", "scripts/layers.ts"]);
  await check("rows", deno, ["run", "-A", "scripts/rows.ts", "--summary"]);
  await tests("unit", ["src", "ui", "scripts", "installer"], { parallel: true });
  if (await check("build", deno, ["run", "-A", "scripts/build.ts"])) {
    await tests("e2e", ["test/e2e"], { parallel: true, env: { DOZO_BIN: `${ROOT}/dist/dozo` } });
  }
  for (const failure of failures) console.log(`failed: ${failure}`);
  console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
  return total.failed === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
