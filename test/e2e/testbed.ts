/** A server with one datastore and a client that knows it: what most end-to-end tests start from. */
import assert from "node:assert/strict";
import { Api } from "./api.ts";
import { DOZO, execute, must, type Outcome, type RunOptions, Scratch, Server } from "./harness.ts";

/** Devices, other owners, mounts and `kill` of other users' processes need it. */
export const IS_ROOT = Deno.uid() === 0;

/** Exit code of a client command that fails (spec/cli-output.md). */
export const FAILED = 255;

/** What {@link Testbed.start} may be told. */
export interface TestbedOptions {
  /** Added to the server's command line. */
  readonly serverArgs?: readonly string[];
  /** Folder of the datastore; default: one in memory. */
  readonly store?: string;
}

/** Server, datastore `store`, client and a folder, gone together at the end. */
export class Testbed implements AsyncDisposable {
  private constructor(
    readonly scratch: Scratch,
    readonly server: Server,
    readonly api: Api,
    /** Folder of the datastore. */
    readonly store: string,
  ) {}

  /** Starts the server and creates the datastore. */
  static async start(options: TestbedOptions = {}): Promise<Testbed> {
    const stack = new AsyncDisposableStack();
    try {
      const scratch = stack.use(await Scratch.make());
      const server = stack.use(await Server.start(`${scratch.path}/server`, options.serverArgs));
      const api = await Api.login(server);
      const store = options.store ?? `${scratch.memory}/store`;
      await api.createDatastore("store", store);
      return new Testbed(scratch, server, api, store);
    } catch (error) {
      await stack.disposeAsync();
      throw error;
    }
  }

  /** The client's environment; `PBS_LOG` and the like may be added by the caller. */
  get env(): Record<string, string> {
    return this.server.clientEnv("store");
  }

  /** Runs `dozo client …`. */
  client(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    return execute(DOZO, ["client", ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  /** {@link client} that must end well; its standard output. */
  must(args: readonly string[], options: RunOptions = {}): Promise<string> {
    return must(DOZO, ["client", ...args], { ...options, env: { ...this.env, ...options.env } });
  }

  /** Starts a client command in the background; the caller waits for `status` and may kill it. Output is thrown away. */
  background(args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command(DOZO, {
      args: ["client", ...args],
      clearEnv: true,
      env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin", ...this.env },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  /** Snapshots as the client lists them, e.g. `host/a/2023-11-14T22:13:20Z`, sorted. */
  async snapshots(...args: string[]): Promise<string[]> {
    const rows: { "backup-type": string; "backup-id": string; "backup-time": number }[] = JSON.parse(
      await this.must(["snapshot", "list", "--output-format", "json", ...args]),
    );
    return rows.map((row) => `${row["backup-type"]}/${row["backup-id"]}/${timeText(row["backup-time"])}`).sort();
  }

  /** What a finished store does not have below its groups: temporary files, and snapshot folders without a manifest. */
  async leftovers(): Promise<string[]> {
    const script = `cd "$1"; find . -path ./.chunks -prune -o -name '*.tmp*' -print
      find . -path ./.chunks -prune -o -type d -name '????-??-??T??:??:??Z' -print |
        while read -r folder; do [ -f "$folder/index.json.blob" ] || echo "$folder"; done`;
    return (await must("bash", ["-c", script, "bash", this.store])).split("\n").filter(Boolean);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.stop();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** A backup time in seconds as snapshots are named by it. */
export function timeText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}

/**
 * Fails unless the command ended as one that tells a user what is wrong: exit code 255, last line on standard error
 * `Error: …` matching `pattern`, no stack trace, nothing of the runtime's.
 */
export function assertRefused(outcome: Outcome, pattern: RegExp): void {
  const all = `${outcome.stdout}${outcome.stderr}`;
  assert.equal(outcome.code, FAILED, all);
  const lines = outcome.stderr.trimEnd().split("\n");
  assert.match(lines.at(-1) ?? "", /^Error: \S/, all);
  assert.match(lines.at(-1) ?? "", pattern, all);
  assert.equal(lines.filter((line) => line.startsWith("Error:")).length, 1, all);
  assert.doesNotMatch(all, /^\s+at .*:\d+|dozo\.js|Uncaught|panicked/m, all);
}

/** Waits until `condition` holds; fails after `seconds`. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  seconds = 10,
): Promise<void> {
  const end = performance.now() + seconds * 1000;
  while (!await condition()) {
    assert.ok(performance.now() < end, `${what}: not within ${seconds} s`);
    await sleep(50);
  }
}

/** Waits. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Bytes that do not compress and are the same for the same seed. */
export function noise(size: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(size / 4));
  let state = seed * 2654435769 >>> 0 || 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  return new Uint8Array(words.buffer, 0, size);
}

/** Files of the store's chunk directories, full paths, `.bad` ones too. */
export async function chunkFiles(store: string): Promise<string[]> {
  return (await must("find", [`${store}/.chunks`, "-type", "f"])).split("\n").filter(Boolean).sort();
}
