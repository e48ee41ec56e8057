/** One server process: it owns a listening socket and everything behind it. */
import { join } from "node:path";
import { Api } from "../api/dispatch.ts";
import { METHODS } from "../api/table.ts";
import { errorMessage } from "../base/errors.ts";
import { loadCertificate } from "../config/certificate.ts";
import { stateDirectories } from "../config/directories.ts";
import { Front } from "./front.ts";
import { LogFile } from "./log_file.ts";
import type { ListenAddress } from "./options.ts";
import { makeServices } from "./services.ts";

/** What a worker needs to know. */
export interface WorkerOptions {
  readonly root?: string;
  readonly address: ListenAddress;
  /** Seconds that sessions get when the server stops. */
  readonly shutdownTimeout: number;
}

/** A running worker. */
export interface Worker {
  readonly port: number;
  /** Stops taking connections, lets sessions finish within the time limit, aborts the rest. Further calls hurry it up. */
  stop(reason: string): Promise<void>;
}

/** Time that aborted tasks get to remove their leftovers. */
const ABORT_MS = 10_000;

/** Starts serving in this process. Rejects when the address, the certificate or a key cannot be used. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const directories = stateDirectories(options.root);
  const services = await makeServices(directories);
  const access = new LogFile(join(directories.log, "api", "access.log"));
  const front = new Front(new Api(METHODS, services), await loadCertificate(directories.etc), access);
  const port = await front.listen(options.address);
  let hurry = () => {};
  let stopping: Promise<void> | undefined;

  const stop = async (reason: string) => {
    const drained = front.drain();
    const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
    const hurried = new Promise<void>((resolve) => hurry = resolve);
    await Promise.race([drained, pause(options.shutdownTimeout * 1000), hurried]);
    await services.close(reason).catch((error) => console.error(`ending tasks: ${errorMessage(error)}`));
    await Promise.race([drained, pause(ABORT_MS)]);
    front.destroy();
    access.flush();
  };
  return {
    port,
    stop: (reason) => {
      hurry();
      return stopping ??= stop(reason);
    },
  };
}

/** Keeps the process alive whatever goes wrong in one request: the fault is logged, the others go on. */
export function surviveFaults(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    console.error("unhandled rejection:", event.reason);
  });
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    console.error("unhandled error:", event.error);
  });
}
