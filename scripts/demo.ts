/**
 * `deno task demo [--once] [--folder DIR]`: a server with a datastore and a login, a first and a second backup of two
 * trees, a restore, and a comparison of everything, in a private folder. Leaves the server running until Ctrl-C; with
 * `--once` it ends by itself. Exits 1 when a restored tree differs.
 */
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Api } from "../test/e2e/api.ts";
import { ROOT } from "./source_files.ts";

const USER = "admin@pbs";
const STORE = "demo";
/** What tools write into the checkout. */
const LEFT_OUT = ["dist", ".git", ".dev", "node_modules"];

interface ServerInfo {
  readonly url: string;
  readonly port: number;
  readonly fingerprint: string;
}

const bold = (text: string): string => Deno.stdout.isTerminal() && !Deno.noColor ? `\x1b[1m${text}\x1b[0m` : text;

/** Runs a step and prints what it did and how long it took. */
async function step<T>(title: string, work: () => Promise<{ said: string; value: T }>): Promise<T> {
  const started = performance.now();
  const { said, value } = await work();
  console.log(`${bold(title.padEnd(14))} ${said} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return value;
}

async function run(command: string, args: string[], env: Record<string, string> = {}): Promise<string> {
  const child = new Deno.Command(command, { args, env, stdin: "null", stdout: "piped", stderr: "piped" });
  const { code, stdout, stderr } = await child.output();
  const said = new TextDecoder().decode(stderr);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: exit code ${code}\n${said}`);
  return new TextDecoder().decode(stdout) + said;
}

const dozo = (args: string[], env: Record<string, string>): Promise<string> =>
  run(Deno.execPath(), ["run", "-A", "--quiet", `${ROOT}/main.ts`, ...args], env);

async function startServer(
  root: string,
  passwordFile: string,
): Promise<{ child: Deno.ChildProcess; info: ServerInfo }> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--quiet", `${ROOT}/main.ts`, "server", "--root", root, "--listen", "127.0.0.1:0"],
      ...["--admin-password-file", passwordFile],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  let ended = false;
  child.status.then(() => ended = true);
  for (let waited = 0; waited < 60_000 && !ended; waited += 50) {
    try {
      return { child, info: JSON.parse(await Deno.readTextFile(`${root}/run/server.json`)) };
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  if (!ended) child.kill("SIGKILL");
  throw new Error("the server did not start");
}

/** The client's own account of what it read and what it had to send. */
function accountOf(output: string): string {
  const lines = output.split("\n").filter((line) => /had to (backup|upload)|reused/i.test(line));
  return lines.map((line) => line.trim()).join("\n               ");
}

async function listTree(folder: string): Promise<string> {
  return await run("bash", [fileURLToPath(new URL("../test/e2e/list_tree.sh", import.meta.url)), folder]);
}

/** A copy of the checkout, which stands still while it is backed up and compared. */
async function copyCheckout(target: string): Promise<void> {
  await Deno.mkdir(target);
  const excludes = LEFT_OUT.map((name) => `--exclude=./${name}`);
  await run("bash", ["-c", 'tar -C "$1" -cf - "${@:3}" . | tar -C "$2" -xpf -', "copy", ROOT, target, ...excludes]);
}

/** Entries of the tree, when both are equal in every way; throws with the first differences otherwise. */
async function compare(restored: string, original: string): Promise<number> {
  const [found, wanted] = await Promise.all([restored, original].map(listTree));
  if (found !== wanted) {
    const there = new Set(found.split("\n"));
    const lost = wanted.split("\n").filter((line) => !there.has(line)).slice(0, 10);
    throw new Error(`the restored tree ${restored} differs from ${original}:\n${lost.join("\n")}`);
  }
  return wanted.slice(0, wanted.indexOf("== hard links")).trim().split("\n").length;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    args: Deno.args,
    options: { once: { type: "boolean", default: false }, folder: { type: "string" } },
  });
  const folder = values.folder ?? await Deno.makeTempDir({ prefix: "dozo-demo-" });
  await Deno.mkdir(`${folder}/odd`, { recursive: true, mode: 0o700 });
  const password = randomBytes(9).toString("base64url");
  await Deno.writeTextFile(`${folder}/password`, password, { mode: 0o600 });
  let server: Deno.ChildProcess | undefined;
  try {
    const started = await step("server", async () => {
      const value = await startServer(`${folder}/server`, `${folder}/password`);
      return { said: `listens on ${value.info.url}`, value };
    });
    server = started.child;
    const { info } = started;
    const env = {
      PBS_REPOSITORY: `${USER}@127.0.0.1:${info.port}:${STORE}`,
      PBS_PASSWORD: password,
      PBS_FINGERPRINT: info.fingerprint,
    };
    await step("datastore", async () => {
      await (await Api.login(info, USER, password)).createDatastore(STORE, `${folder}/store`);
      return { said: `'${STORE}' in ${folder}/store`, value: undefined };
    });
    await step("trees", async () => {
      await copyCheckout(`${folder}/checkout`);
      await run("bash", [fileURLToPath(new URL("../test/e2e/odd_tree.sh", import.meta.url)), `${folder}/odd`]);
      return { said: "a copy of this checkout, and one entry of every kind that a file system has", value: undefined };
    });

    const trees = ["checkout", "odd"];
    const backup = async () => {
      const specs = trees.map((name) => `${name}.pxar:${folder}/${name}`);
      const output = await dozo(["client", "backup", ...specs, "--backup-id", "demo"], env);
      return { said: `${trees.join(" and ")}\n               ${accountOf(output)}`, value: undefined };
    };
    await step("backup", backup);
    await Deno.writeTextFile(`${folder}/odd/plain/hello.txt`, "hello again\n");
    await step("second backup", backup);

    for (const name of trees) {
      const target = `${folder}/restored-${name}`;
      await step("restore", async () => {
        await dozo(["client", "restore", "host/demo", `${name}.pxar`, target], env);
        return { said: `${name} to ${target}`, value: undefined };
      });
      await step("compare", async () => {
        const entries = await compare(target, `${folder}/${name}`);
        return {
          said: `${entries} entries: bytes, names, owners, modes, times, attributes and links are equal`,
          value: 0,
        };
      });
    }

    console.log(
      `\n${bold("The server runs.")}  ${info.url}\nuser      ${USER}\npassword  ${password}\nfolder    ${folder}`,
    );
    console.log(
      `\nTry it in another terminal:\n${
        Object.entries(env).map(([name, value]) => `  export ${name}='${value}'`).join("\n")
      }\n  ${Deno.execPath()} run -A ${ROOT}/main.ts client snapshot list\n`,
    );
    if (!values.once) {
      console.log("Ctrl-C stops it.");
      await new Promise<void>((resolve) => {
        for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, () => resolve());
        server?.status.then(() => resolve());
      });
    }
    return 0;
  } catch (error) {
    console.error(`Error: ${error instanceof Error ? error.message : error}`);
    return 1;
  } finally {
    if (server) {
      try {
        server.kill("SIGTERM");
      } catch {
        // It has ended by itself, on the same Ctrl-C.
      }
      await server.status;
    }
    if (!values.folder) await run("rm", ["-rf", folder]);
  }
}

if (import.meta.main) Deno.exit(await main());
