/** `dozo server`: from the command to running processes and back. */
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";
import { DOZO_VERSION } from "../base/version.ts";
import { replaceFile } from "../config/atomic_file.ts";
import { loadCertificate } from "../config/certificate.ts";
import { createDirectories, type Directories, stateDirectories } from "../config/directories.ts";
import { createFirstAdmin, FIRST_ADMIN } from "./first_start.ts";
import { defaultWorkers, type ListenAddress, parseListen, type ServerOptions } from "./options.ts";
import { makeServices } from "./services.ts";
import { Supervisor, WORKER_VARIABLE } from "./supervisor.ts";
import { startWorker, surviveFaults, type WorkerOptions } from "./worker.ts";

const DEFAULT_SHUTDOWN_SECONDS = 60;
/** An orphaned worker ends quickly: nobody would stop it later. */
const ORPHAN_SECONDS = 5;

/** What the rest of the machine may know about a running server (`<run>/server.json`). */
interface ServerInfo {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly pid: number;
  readonly workers: readonly number[];
  readonly version: string;
}

/**
 * Runs a server until it is told to stop (SIGTERM, SIGINT, `options.signal`); resolves when it has stopped. Throws
 * {@link DozoError} when it cannot start. In a process that the supervisor started, it becomes a worker.
 */
export async function runServer(options: ServerOptions): Promise<void> {
  const worker = Deno.env.get(WORKER_VARIABLE);
  if (worker !== undefined) return await workerProcess(JSON.parse(worker));
  const print = options.print ?? ((line: string) => console.log(line));
  const directories = stateDirectories(options.root);
  const address = freeAddress(parseListen(options.listen));
  const count = options.workers ?? defaultWorkers();
  if (!Number.isInteger(count) || count < 1 || count > 64) {
    throw new DozoError("--workers must be a number from 1 to 64");
  }

  await prepareDirectories(directories);
  using _held = await lockRoot(directories);
  const certificate = await loadCertificate(directories.etc);
  const password = await prepareState(directories, options.adminPasswordFile);

  const workerOptions = {
    root: options.root,
    address,
    shutdownTimeout: options.shutdownTimeout ?? DEFAULT_SHUTDOWN_SECONDS,
  };
  surviveFaults();
  const running = await startAll(workerOptions, count);
  const info: ServerInfo = {
    url: `https://${urlHost(address)}:${running.port}`,
    host: urlHost(address),
    port: running.port,
    fingerprint: certificate.fingerprint,
    pid: Deno.pid,
    workers: running.pids(),
    version: DOZO_VERSION,
  };
  const infoPath = join(directories.run, "server.json");
  await replaceFile(infoPath, `${JSON.stringify(info, null, 2)}\n`, 0o644);
  print(`dozo ${DOZO_VERSION} listens on ${info.url} (${count} ${count === 1 ? "process" : "processes"})`);
  print(`certificate fingerprint: ${info.fingerprint}`);
  if (password !== undefined) {
    print(`first administrator: ${FIRST_ADMIN}`);
    print(`password (shown only this once): ${password}`);
  }
  await untilStopped(options.signal, (again) => {
    print(again ? "stopping now" : "stopping: running sessions may finish, a second signal ends them");
    return running.stop();
  });
  await Deno.remove(infoPath).catch(() => {});
}

async function prepareDirectories(directories: Directories): Promise<void> {
  try {
    await createDirectories(directories);
  } catch (error) {
    throw new DozoError(
      `unable to create the state directories (${directories.etc} …): ${
        errorMessage(error)
      }; use --root DIR for a private place`,
      { cause: error },
    );
  }
}

/** Keeps a second server from using the same state. */
async function lockRoot(directories: Directories): Promise<Deno.FsFile> {
  const path = join(directories.run, "server.lck");
  const file = await Deno.open(path, { write: true, create: true, mode: 0o640 });
  if (await file.tryLock(true)) return file;
  file.close();
  throw new DozoError(`another dozo server uses this state already: it holds the lock '${path}'`);
}

/**
 * Checks that nobody else listens on the address: several processes share the port later, so that a foreign server on it
 * would not be noticed then. A machine without IPv6 gets all its IPv4 addresses in place of `::`.
 */
function freeAddress(address: ListenAddress): ListenAddress {
  try {
    Deno.listen({ hostname: address.host, port: address.port }).close();
    return address;
  } catch (error) {
    if (address.host === "::" && !(error instanceof Deno.errors.AddrInUse)) {
      return freeAddress({ host: "0.0.0.0", port: address.port });
    }
    throw new DozoError(`unable to listen on ${address.host}:${address.port}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** First administrator, and the leftovers of sessions that were killed. Returns a password to show. */
async function prepareState(directories: Directories, passwordFile?: string): Promise<string | undefined> {
  const services = await makeServices(directories);
  const password = await createFirstAdmin(services.config, services.access, passwordFile);
  for (const name of services.datastores.names()) {
    try {
      const removed = await (await services.datastores.open(name, "write")).removeAbandoned();
      if (removed.length > 0) console.error(`datastore '${name}': removed ${removed.length} unfinished snapshots`);
    } catch (error) {
      console.error(`datastore '${name}': ${errorMessage(error)}`);
    }
    await services.datastores.forget(name);
  }
  await services.close("preparation is done");
  return password;
}

interface Running {
  readonly port: number;
  pids(): number[];
  stop(): Promise<void>;
}

async function startAll(options: WorkerOptions, count: number): Promise<Running> {
  if (count === 1) {
    const worker = await startWorker(options);
    return { port: worker.port, pids: () => [Deno.pid], stop: () => worker.stop("server shutdown") };
  }
  const supervisor = new Supervisor(options, count);
  const port = await supervisor.start();
  return { port, pids: () => supervisor.pids, stop: () => supervisor.stop() };
}

/** A host name or address under which this machine reaches the server. */
function urlHost({ host }: ListenAddress): string {
  if (host === "::" || host === "0.0.0.0") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/** Waits for a reason to stop and stops; later signals call `stop` again. */
async function untilStopped(signal: AbortSignal | undefined, stop: (again: boolean) => Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  let stopping = false;
  const onSignal = () => {
    const again = stopping;
    stopping = true;
    stop(again).then(resolve, resolve);
  };
  Deno.addSignalListener("SIGTERM", onSignal);
  Deno.addSignalListener("SIGINT", onSignal);
  signal?.addEventListener("abort", onSignal);
  if (signal?.aborted) onSignal();
  await promise;
  Deno.removeSignalListener("SIGTERM", onSignal);
  Deno.removeSignalListener("SIGINT", onSignal);
  signal?.removeEventListener("abort", onSignal);
}

/** The life of a worker process: says on standard output where it listens, ends when told or when standard input closes. */
async function workerProcess(options: WorkerOptions): Promise<void> {
  surviveFaults();
  // Ctrl-C reaches the whole group; the supervisor decides.
  Deno.addSignalListener("SIGINT", () => {});
  const say = (message: unknown) => Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
  let worker;
  try {
    worker = await startWorker(options);
  } catch (error) {
    say({ error: errorMessage(error) });
    Deno.exit(1);
  }
  const serving = worker;
  say({ port: serving.port });
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGTERM", () => void serving.stop("server shutdown").finally(resolve));
  void (async () => {
    for await (const _ of Deno.stdin.readable) continue;
    setTimeout(() => void serving.stop("the supervisor is gone"), ORPHAN_SECONDS * 1000);
    await serving.stop("the supervisor is gone").finally(resolve);
  })();
  await promise;
  Deno.exit(0);
}
