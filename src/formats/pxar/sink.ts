/** Where an encoder puts its bytes, and where a decoder takes them from. Implemented by files, chunkers and tests. */

/**
 * Takes the bytes of one stream in order. File contents are read straight into memory that the sink hands out
 * (`reserve` / `commit`), everything else is copied by `write`.
 *
 * A returned promise means "no room now": wait for it before the next call on the same sink. Returning nothing is the
 * common case and keeps small files free of awaits.
 */
export interface ArchiveSink {
  /** Writable memory of 1 … `max` bytes (the sink chooses), valid until the next call on this sink. */
  reserve(max: number): Uint8Array<ArrayBuffer>;
  /** Appends the first `count` bytes (0 … length) of the memory last reserved. */
  commit(count: number): void | Promise<void>;
  /** Appends a copy of `bytes`, of any length; the caller may reuse the memory at once. */
  write(bytes: Uint8Array): void | Promise<void>;
}

/** The payload stream of a split archive: additionally learns where files begin. */
export interface PayloadSink extends ArchiveSink {
  /**
   * A file's PAYLOAD header begins at `offset` of the payload stream (injected bytes included): a good place to cut.
   * Called before the header's bytes are written; offsets never decrease (`spec/chunker.md` §4).
   */
  suggestBoundary(offset: number): void;
}

/** Bytes of one stream in order, pulled by a decoder. */
export interface SequentialSource {
  /**
   * The next bytes (never empty), or null at the end of the stream. They belong to the consumer, who may go on using them
   * after later calls: the source must leave them alone.
   */
  pull(): Promise<Uint8Array | null>;
  /** Moves on by `count` bytes without delivering them, where that is cheaper than pulling. May run past the end. */
  skip?(count: number): void | Promise<void>;
}

/** A stream of known size that can be read anywhere. */
export interface RandomSource {
  readonly size: number;
  /** Exactly `length` bytes at `offset`; the range lies within the size. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** Waits for both, where either may be nothing. */
export function both(a: void | Promise<void>, b: void | Promise<void>): void | Promise<void> {
  if (!a) return b;
  if (!b) return a;
  return Promise.all([a, b]).then(() => undefined);
}
