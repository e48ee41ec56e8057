/** Ctrl-C and a request to terminate, as an abort signal. */
import { DozoError } from "../base/errors.ts";

/**
 * Runs `work` with a signal that SIGINT and SIGTERM abort, so that it can tidy up. A second one ends the program at once.
 */
export async function withInterrupt<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const handler = () => {
    if (controller.signal.aborted) Deno.exit(255);
    controller.abort(new DozoError("interrupted"));
  };
  Deno.addSignalListener("SIGINT", handler);
  Deno.addSignalListener("SIGTERM", handler);
  try {
    return await work(controller.signal);
  } finally {
    Deno.removeSignalListener("SIGINT", handler);
    Deno.removeSignalListener("SIGTERM", handler);
  }
}
