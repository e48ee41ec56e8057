/** Work that runs ahead of its consumer, results in order. */
import { DozoError } from "../../base/errors.ts";

/**
 * Results of `work` for each item in order. At most `ahead` items are being worked on or wait for the consumer. When the
 * consumer stops, one work fails or `signal` aborts, the signal given to the works aborts and their results are dropped.
 */
export async function* readAhead<I, T>(
  items: Iterable<I>,
  work: (item: I, signal: AbortSignal) => Promise<T>,
  ahead: number,
  signal?: AbortSignal,
): AsyncGenerator<T, void, void> {
  const stop = new AbortController();
  const onAbort = () => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const running: Promise<T>[] = [];
  const iterator = items[Symbol.iterator]();
  try {
    let exhausted = false;
    while (true) {
      signal?.throwIfAborted();
      while (!exhausted && running.length < Math.max(1, ahead)) {
        const next = iterator.next();
        if (next.done) exhausted = true;
        else running.push(guarded(work(next.value, stop.signal)));
      }
      const first = running.shift();
      if (!first) return;
      yield await first;
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    iterator.return?.();
    stop.abort(new DozoError("the download was stopped"));
    await Promise.allSettled(running);
  }
}

/** A failure counts when it is the item's turn, until then it must not be unhandled. */
function guarded<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
