/** Starts the worker processes, replaces those that die, and stops them together. */
import { errorMessage } from "../base/errors.ts";
import { selfCommand } from "../config/self_command.ts";
import type { WorkerOptions } from "./worker.ts";

/** Environment variable that makes `dozo server` a worker; its value is the {@link WorkerOptions} as JSON. */
export const WORKER_VARIABLE = "DOZO_SERVER_WORKER";

const START_MS = 60_000;
const RESTART_MS = { first: 200, longest: 10_000 } as const;

interface WorkerProcess {
  readonly child: Deno.ChildProcess;
  readonly port: number;
}

/** A number of worker processes on one port. */
export class Supervisor {
  readonly #options: WorkerOptions;
  readonly #count: number;
  readonly #running = new Set<WorkerProcess>();
  readonly #watching = new Set<Promise<void>>();
  #stopping = false;

  constructor(options: WorkerOptions, count: number) {
    this.#options = options;
    this.#count = count;
  }

  /** Starts all workers; resolves with their port when every one listens. Rejects when the first cannot start. */
  async start(): Promise<number> {
    const first = await this.#spawn(this.#options);
    const fixed = { ...this.#options, address: { ...this.#options.address, port: first.port } };
    this.#keepAlive(first, fixed);
    const others = Array.from(
      { length: this.#count - 1 },
      async () => this.#keepAlive(await this.#spawn(fixed), fixed),
    );
    await Promise.all(others);
    return first.port;
  }

  /** Process ids of the workers that run now. */
  get pids(): number[] {
    return [...this.#running].map(({ child }) => child.pid);
  }

  /** Asks all workers to stop; resolves when the last is gone. A second call hurries them up. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child } of this.#running) {
      try {
        child.kill("SIGTERM");
      } catch {
        continue;
      }
    }
    await Promise.allSettled(this.#watching);
  }

  async #spawn(options: WorkerOptions): Promise<WorkerProcess> {
    const { command, args } = selfCommand(["server"]);
    const child = new Deno.Command(command, {
      args,
      env: { [WORKER_VARIABLE]: JSON.stringify(options) },
      // The worker ends when this pipe closes, however the supervisor went.
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    try {
      const port = await readyPort(child);
      const worker = { child, port };
      this.#running.add(worker);
      if (this.#stopping) child.kill("SIGTERM");
      return worker;
    } catch (error) {
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended already.
      }
      await child.status;
      throw error;
    }
  }

  #keepAlive(worker: WorkerProcess, options: WorkerOptions): void {
    const watch = this.#watch(worker, options);
    this.#watching.add(watch);
    watch.finally(() => this.#watching.delete(watch));
  }

  async #watch(worker: WorkerProcess, options: WorkerOptions): Promise<void> {
    const started = Date.now();
    const status = await worker.child.status;
    this.#running.delete(worker);
    if (this.#stopping) return;
    console.error(`server process ${worker.child.pid} ended (${status.signal ?? status.code}), starting another one`);
    let pause: number = Date.now() - started > RESTART_MS.longest ? 0 : RESTART_MS.first;
    while (!this.#stopping) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (this.#stopping) return;
      try {
        this.#keepAlive(await this.#spawn(options), options);
        return;
      } catch (error) {
        console.error(`starting a server process failed: ${errorMessage(error)}`);
        pause = Math.min(Math.max(RESTART_MS.first, pause * 2), RESTART_MS.longest);
      }
    }
  }
}

/** Waits for the line with which a worker says that it listens. Rejects with its error line. */
async function readyPort(child: Deno.ChildProcess): Promise<number> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const timer = setTimeout(() => reader.cancel(), START_MS);
  let text = "";
  try {
    while (!text.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("it ended or said nothing before it listened");
      text += value;
    }
    const message: { port?: number; error?: string } = JSON.parse(text.slice(0, text.indexOf("\n")));
    if (message.port === undefined) throw new Error(message.error ?? "it does not listen");
    return message.port;
  } finally {
    clearTimeout(timer);
    // Nothing else comes on this pipe; reading on keeps a stray line from blocking the worker.
    void drainReader(reader);
  }
}

async function drainReader(reader: ReadableStreamDefaultReader<string>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    return;
  }
}
