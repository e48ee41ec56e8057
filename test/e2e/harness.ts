/** Starts the built executable as a server, runs its commands as a client, and looks at the result from outside. */
import assert from "node:assert/strict";
import { statfsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The executable under test: `DOZO_BIN`, or what `deno task build` wrote. */
export const DOZO = Deno.env.get("DOZO_BIN") ?? fileURLToPath(new URL("../../dist/dozo", import.meta.url));
export const PASSWORD = "correct horse battery";
export const USER = "admin@pbs";

/** How a command ended. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What {@link execute} may be told. */
export interface RunOptions {
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  readonly stdin?: Uint8Array<ArrayBuffer> | string;
  /** Default 120. */
  readonly seconds?: number;
}

/** Runs a command in an environment of only PATH and `env`; kills it after the time limit. */
export async function execute(command: string, args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: options.cwd,
    clearEnv: true,
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(() => child.kill("SIGKILL"), (options.seconds ?? 120) * 1000);
  try {
    const feeding = options.stdin === undefined ? undefined : feed(child.stdin, options.stdin);
    const { code, stdout, stderr } = await child.output();
    await feeding;
    return { code, stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  } finally {
    clearTimeout(limit);
  }
}

async function feed(stream: WritableStream<Uint8Array<ArrayBuffer>>, data: Uint8Array<ArrayBuffer> | string) {
  const writer = stream.getWriter();
  try {
    await writer.write(typeof data === "string" ? new TextEncoder().encode(data) : data);
    await writer.close();
  } catch {
    // A command that ends without reading its input closes the pipe.
  }
}

/** {@link execute} that fails the test unless the command ends with exit code 0; its standard output. */
export async function must(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const outcome = await execute(command, args, options);
  assert.equal(outcome.code, 0, `${command} ${args.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
  return outcome.stdout;
}

/** Containers often have a /dev/shm that holds next to nothing. */
function hasRoomyMemory(): boolean {
  try {
    const { bavail, bsize, ffree } = statfsSync("/dev/shm");
    return bavail * bsize > 4 * 2 ** 30 && ffree > 500_000;
  } catch {
    return false;
  }
}

/** Folders for one test; removed by `await using` with all that is in them. */
export class Scratch implements AsyncDisposable {
  /** `memory` is in memory where the system has such a place: a datastore begins with 65,536 directories. */
  private constructor(readonly path: string, readonly memory: string) {}

  static async make(): Promise<Scratch> {
    const path = await Deno.makeTempDir({ prefix: "dozo-e2e-" });
    if (hasRoomyMemory()) return new Scratch(path, await Deno.makeTempDir({ dir: "/dev/shm", prefix: "dozo-e2e-" }));
    await Deno.mkdir(`${path}/memory`);
    return new Scratch(path, `${path}/memory`);
  }

  /** A new empty folder in the scratch folder. */
  async folder(name: string): Promise<string> {
    await Deno.mkdir(`${this.path}/${name}`, { recursive: true });
    return `${this.path}/${name}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await must("rm", ["-rf", this.path, this.memory]);
  }
}

const READY_SECONDS = 30;
const URL_PATTERN = /https:\/\/[^\s/]*?:(\d+)/;
const FINGERPRINT_PATTERN = /\b(?:[0-9a-f]{2}:){31}[0-9a-f]{2}\b/i;

/** A server process in a private root, and its client's environment. */
export class Server implements AsyncDisposable {
  #child?: Deno.ChildProcess;
  #output = "";
  #reading: Promise<unknown> = Promise.resolve();
  port = 0;
  fingerprint = "";

  private constructor(readonly root: string, readonly args: readonly string[], readonly executable: string) {}

  /** Starts `dozo server` on a free port with its state below `root`; `args` are added. */
  static async start(root: string, args: readonly string[] = [], executable = DOZO): Promise<Server> {
    const server = new Server(root, args, executable);
    await server.start();
    return server;
  }

  /** Everything the server printed so far. */
  get output(): string {
    return this.#output;
  }

  /** Process number of the server (of its supervisor, when several processes serve). */
  get pid(): number {
    assert.ok(this.#child, "the server is not running");
    return this.#child.pid;
  }

  /** Starts the process again after {@link stop} or {@link kill}, on the same port if there was one. */
  async start(): Promise<void> {
    const passwordFile = `${this.root}-admin-password`;
    await Deno.writeTextFile(passwordFile, PASSWORD, { mode: 0o600 });
    await Deno.mkdir(this.root, { recursive: true });
    const child = new Deno.Command(this.executable, {
      args: [
        ...["server", "--root", this.root, "--listen", `127.0.0.1:${this.port}`],
        ...["--admin-password-file", passwordFile, ...this.args],
      ],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    this.#output = "";
    const { promise: ready, resolve } = Promise.withResolvers<void>();
    const read = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
      for await (const text of stream.pipeThrough(new TextDecoderStream())) {
        this.#output += text;
        if (URL_PATTERN.test(this.#output) && FINGERPRINT_PATTERN.test(this.#output)) resolve();
      }
    };
    this.#reading = Promise.all([read(child.stdout), read(child.stderr)]);
    const limit = setTimeout(() => child.kill("SIGKILL"), READY_SECONDS * 1000);
    const ended = child.status.then(({ code }) => {
      throw new Error(`the server ended (code ${code}) before it was ready:\n${this.#output}`);
    });
    ended.catch(() => {});
    await Promise.race([ready, ended]).finally(() => clearTimeout(limit));
    this.port = Number(URL_PATTERN.exec(this.#output)?.[1]);
    this.fingerprint = FINGERPRINT_PATTERN.exec(this.#output)?.[0].toLowerCase() ?? "";
  }

  /** The environment with which a client of this server finds and trusts it. */
  clientEnv(datastore: string): Record<string, string> {
    return {
      HOME: `${this.root}/..`,
      PBS_REPOSITORY: `${USER}@127.0.0.1:${this.port}:${datastore}`,
      PBS_PASSWORD: PASSWORD,
      PBS_FINGERPRINT: this.fingerprint,
    };
  }

  /** Ends the server as a service manager does, and waits for it. */
  async stop(): Promise<number> {
    const child = this.#child;
    if (!child) return 0;
    this.#child = undefined;
    child.kill("SIGTERM");
    const limit = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const { code } = await child.status;
    clearTimeout(limit);
    await this.#reading;
    return code;
  }

  /** `kill -9` of the server and of all its processes at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    assert.ok(child, "the server is not running");
    this.#child = undefined;
    const family = [child.pid, ...await descendants(child.pid)];
    for (const pid of family) {
      try {
        Deno.kill(pid, "SIGKILL");
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
    await child.status;
    await this.#reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

/** Process numbers of all living descendants of `pid`. */
export async function descendants(pid: number): Promise<number[]> {
  const found: number[] = [];
  let text = "";
  try {
    text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  } catch {
    return found;
  }
  for (const child of text.trim().split(/\s+/).filter(Boolean).map(Number)) {
    found.push(child, ...await descendants(child));
  }
  return found;
}

const script = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Fills the empty folder with one entry of every kind, see `odd_tree.sh`. */
export async function makeOddTree(folder: string): Promise<void> {
  await must("bash", [script("./odd_tree.sh"), folder]);
}

/** Fails unless both trees are equal in all that `list_tree.sh` sees; names the first differences. */
export async function assertSameTree(actual: string, expected: string): Promise<void> {
  const [found, wanted] = await Promise.all([actual, expected].map((path) => listTree(path)));
  if (found === wanted) return;
  const wantedLines = new Set(wanted.split("\n"));
  const foundLines = new Set(found.split("\n"));
  const missing = [...wantedLines].filter((line) => !foundLines.has(line)).slice(0, 12).map((line) => `- ${line}`);
  const extra = [...foundLines].filter((line) => !wantedLines.has(line)).slice(0, 12).map((line) => `+ ${line}`);
  assert.fail(`${actual} differs from ${expected}:\n${[...missing, ...extra].join("\n")}`);
}

/** The tree as `list_tree.sh` tells it. */
export async function listTree(path: string): Promise<string> {
  return await must("bash", [script("./list_tree.sh"), path]);
}
