/** What metadata change detection needs from the caller and asks of it (`spec/pxar.md` §9). */
import type { PayloadSink, SequentialSource } from "../formats/pxar/mod.ts";

/** Payload index of the previous snapshot; a `DynamicIndex` is one. */
export interface PreviousIndex {
  readonly count: number;
  /** Bytes of the stream. */
  readonly size: number;
  /** Stream offset behind chunk `i`. */
  endAt(i: number): number;
  /** SHA-256 digest of chunk `i`, 32 bytes. */
  digestAt(i: number): Uint8Array;
  /** Number of the chunk that holds the byte at `offset`, which is below `size`. */
  find(offset: number): number;
}

/** The same-named split archive of the previous snapshot. */
export interface PreviousArchive {
  /** Its metadata stream, from the start; only as much is pulled as is needed. */
  readonly metadata: SequentialSource;
  readonly index: PreviousIndex;
}

/** A chunk of the previous payload index that becomes part of the new one. */
export interface ReusedChunk {
  readonly digest: Uint8Array;
  /** Bytes. */
  readonly size: number;
  /** Stream offset of its end in the previous index. */
  readonly previousEnd: number;
}

/** A payload sink that can also splice in chunks of the previous index. */
export interface ReusingSink extends PayloadSink {
  /**
   * Puts `chunks` into the stream at payload offset `offset`, which is where the bytes written so far (and earlier
   * injections) end: the current chunk must be cut there (`spec/chunker.md` §5). Everything written later follows behind.
   */
  inject(offset: number, chunks: readonly ReusedChunk[]): void | Promise<void>;
}
