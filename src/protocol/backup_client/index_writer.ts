/** Upload of one index: chunks in flight, appends in order, checksum. */

/** What the finished index is, as the manifest lists it. */
export interface IndexSummary {
  /** Plain bytes. */
  readonly size: number;
  readonly chunkCount: number;
  /** Checksum of the index (32 bytes). */
  readonly csum: Uint8Array<ArrayBuffer>;
  /** Chunks sent, and their plain and encoded bytes. */
  readonly uploadedChunks: number;
  readonly uploadedSize: number;
  readonly uploadedEncodedSize: number;
  /** Chunks referenced without sending them, and their plain bytes. */
  readonly reusedChunks: number;
  readonly reusedSize: number;
}

/**
 * Takes the chunks of one archive in order. Calls of one writer must not overlap (await each); different writers of a
 * session run side by side. The offset is the sum of the sizes so far.
 */
export interface IndexWriter {
  /** Writer id the server gave. */
  readonly wid: number;
  /** Plain bytes so far. */
  readonly offset: number;
  /**
   * Next chunk, to be sent: `digest` 32 bytes, `size` plain bytes, `encoded` the blob container. Resolves when there is
   * room for the next one, not when it is stored. `encoded` must not change until `sent` (if given) is called.
   */
  upload(chunk: { digest: Uint8Array; size: number; encoded: Uint8Array; sent?: () => void }): Promise<void>;
  /** Next chunk, which the server already knows in this session. */
  reuse(chunk: { digest: Uint8Array; size: number }): Promise<void>;
  /** Waits for everything in flight, then closes the index. */
  close(): Promise<IndexSummary>;
}
