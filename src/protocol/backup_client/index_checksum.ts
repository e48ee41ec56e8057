/** Checksum over the entries of an index (`spec/backup-protocol.md` §7.8 and §7.9), entry by entry. */
import { writeU64 } from "../../base/bytes.ts";
import type { Sha256 } from "../../native/crypto.ts";

/** Takes the entries of an index in order. */
export interface IndexChecksum {
  /** Next entry: its digest (32 bytes) and the end offset of its chunk. */
  add(digest: Uint8Array, end: number): void;
  /** The checksum, 32 bytes. Ends the use of this object. */
  digest(): Uint8Array<ArrayBuffer>;
}

/** Checksum of an empty index of the given kind. */
export function newChecksum(kind: "fixed" | "dynamic", hash: Sha256): IndexChecksum {
  const entry = new Uint8Array(40);
  const view = new DataView(entry.buffer);
  return {
    add(digest, end) {
      if (kind === "fixed") {
        hash.update(digest);
        return;
      }
      writeU64(view, 0, end);
      entry.set(digest, 8);
      hash.update(entry);
    },
    digest: () => new Uint8Array(hash.digest()),
  };
}
