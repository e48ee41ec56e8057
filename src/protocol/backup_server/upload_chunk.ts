/** What the server does with an uploaded chunk (`spec/backup-protocol.md` §7.5): nothing wrong is ever stored. */
import { bytesEqual } from "../../base/bytes.ts";
import { Semaphore } from "../../base/concurrency.ts";
import { DozoError, FormatError } from "../../base/errors.ts";
import type { ChunkStore } from "../../datastore/chunk_store.ts";
import type { InsertResult } from "../../datastore/types.ts";
import { decodeBlob, isEncryptedBlob, sealCrc } from "../../formats/blob.ts";
import { sha256 } from "../../native/crypto.ts";

/** Chunks that this process checks and stores at the same time, over all sessions: bounds memory and disk queue. */
const slots = new Semaphore(8);

/** An uploaded chunk: what the client says of it, and its bytes. */
export interface UploadedChunk {
  readonly digest: Uint8Array;
  /** Plain bytes. */
  readonly size: number;
  /** The encoded chunk. Its CRC field is overwritten. */
  readonly blob: Uint8Array<ArrayBuffer>;
}

/**
 * Checks a chunk and stores it. An unencrypted one must have the digest and size it claims; of an encrypted one only the
 * form can be checked. The CRC is computed here, whatever the client sent. Throws 400 when something is wrong.
 */
export function storeChunk(chunks: ChunkStore, chunk: UploadedChunk): Promise<InsertResult> {
  return slots.run(async () => {
    const work = isEncryptedBlob(chunk.blob) ? [sealCrc(chunk.blob)] : [sealCrc(chunk.blob), checkContent(chunk)];
    // Both must have let go of the buffer before an error is answered.
    for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason;
    return await chunks.insert(chunk.digest, chunk.blob);
  });
}

async function checkContent({ digest, size, blob }: UploadedChunk): Promise<void> {
  let content: Uint8Array;
  try {
    // The limit keeps a small chunk from unpacking to more than it says.
    content = await decodeBlob(blob, { checkCrc: false, maxSize: size });
  } catch (error) {
    if (error instanceof FormatError) throw new DozoError(`uploaded chunk cannot be decoded: ${error.message}`);
    throw error;
  }
  const { length } = content;
  const found = await sha256(content);
  if (content.buffer !== blob.buffer) freeNow(content);
  if (!bytesEqual(found, digest)) throw new DozoError("detected chunk with wrong digest.");
  if (length !== size) throw new DozoError(`detected chunk with wrong length (${size} != ${length})`);
}

/**
 * Gives the memory of an array back at once. Left to the garbage collector, megabytes of it lie around for long, and each
 * new array costs fresh pages from the system (five times the time).
 */
function freeNow(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer) bytes.buffer.transfer(0);
}
