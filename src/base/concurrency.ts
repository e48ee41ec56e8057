/** Bounded concurrency: a counting semaphore and a bounded queue between a producer and a consumer. */

/** Lets at most `permits` holders in at a time; waiters enter in the order in which they came. */
export class Semaphore {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(permits: number) {
    this.#free = permits;
  }

  /** Resolves when a permit is held. Pair each call with {@link release}. */
  async acquire(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Gives one permit back, straight to the first waiter if there is one. */
  release(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }

  /** Runs `work` while holding a permit. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    await this.acquire();
    try {
      return await work();
    } finally {
      this.release();
    }
  }
}

/**
 * A queue that holds at most `capacity` items: `push` waits while it is full, iteration waits while it is empty.
 * One producer, one consumer. `close()` ends the iteration after the queued items, `close(error)` makes it throw at once.
 */
export class BoundedQueue<T> implements AsyncIterable<T> {
  readonly #items: T[] = [];
  readonly #capacity: number;
  #closed = false;
  #error: unknown;
  #wakeConsumer?: () => void;
  #wakeProducer?: () => void;

  constructor(capacity: number) {
    this.#capacity = Math.max(1, capacity);
  }

  /** Adds an item once there is room. Throws the closing error (or a plain one) when the queue was closed. */
  async push(item: T): Promise<void> {
    while (this.#items.length >= this.#capacity && !this.#closed) {
      await new Promise<void>((resolve) => this.#wakeProducer = resolve);
    }
    if (this.#closed) throw this.#error ?? new Error("queue is closed");
    this.#items.push(item);
    this.#wakeConsumer?.();
    this.#wakeConsumer = undefined;
  }

  /** Ends the queue; further calls have no effect. */
  close(error?: unknown): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#error = error;
    this.#wakeConsumer?.();
    this.#wakeProducer?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    while (true) {
      if (this.#error !== undefined) throw this.#error;
      if (this.#items.length > 0) {
        const item = this.#items.shift() as T;
        this.#wakeProducer?.();
        this.#wakeProducer = undefined;
        yield item;
      } else if (this.#closed) {
        return;
      } else {
        await new Promise<void>((resolve) => this.#wakeConsumer = resolve);
      }
    }
  }
}
