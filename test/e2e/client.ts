/** A client with a server and a store of its own, for tests of many commands. */
import assert from "node:assert/strict";
import { Api } from "./api.ts";
import { DOZO, execute, type Outcome, type RunOptions, Scratch, Server } from "./harness.ts";

/** A backup time, and its text and that of the day after. */
export const TIME = 1752537600;
export const FIRST = "2025-07-15T00:00:00Z";
export const SECOND = "2025-07-16T00:00:00Z";

/** A server with one empty store, and a client of it. */
export class Bench implements AsyncDisposable {
  private constructor(
    readonly scratch: Scratch,
    readonly server: Server,
    readonly api: Api,
    readonly env: Record<string, string>,
  ) {}

  static async start(): Promise<Bench> {
    const scratch = await Scratch.make();
    const server = await Server.start(`${scratch.path}/server`, ["--workers", "1"]);
    const api = await Api.login(server);
    await api.createDatastore("store", `${scratch.path}/store`);
    const env = {
      ...server.clientEnv("store"),
      HOME: await scratch.folder("home"),
      XDG_RUNTIME_DIR: await scratch.folder("run"),
    };
    return new Bench(scratch, server, api, env);
  }

  /** Runs a client command. An empty text in `env` takes the variable away. */
  client(args: readonly string[], { env, ...options }: RunOptions = {}): Promise<Outcome> {
    const all = Object.fromEntries(Object.entries({ ...this.env, ...env }).filter(([, value]) => value !== ""));
    return execute(DOZO, ["client", ...args], { cwd: this.scratch.path, ...options, env: all });
  }

  /** A client command that must succeed. */
  async must(args: readonly string[], options: RunOptions = {}): Promise<Outcome> {
    const outcome = await this.client(args, options);
    assert.equal(outcome.code, 0, `${args.join(" ")}\n${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  /** A client command that must fail with exit code 255 and one error line that matches. */
  async refused(args: readonly string[], text: RegExp, options: RunOptions = {}): Promise<void> {
    const { code, stderr } = await this.client(args, options);
    assert.equal(code, 255, `${args.join(" ")}\n${stderr}`);
    const lines = stderr.split("\n").filter((line) => line.startsWith("Error: "));
    assert.equal(lines.length, 1, stderr);
    assert.match(lines[0], text);
    assert.doesNotMatch(stderr, /^\s+at /m, "no stack trace");
  }

  async json<T>(args: readonly string[]): Promise<T> {
    return JSON.parse((await this.must([...args, "--output-format", "json"])).stdout);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server[Symbol.asyncDispose]();
    await this.scratch[Symbol.asyncDispose]();
  }
}

/** A row of `snapshot list`. */
export interface SnapshotRow {
  "backup-id": string;
  "backup-time": number;
  "backup-type": string;
  protected?: boolean;
  files: { filename: string; "crypt-mode"?: string; size?: number }[];
}
