/** Where chunks lie: `.chunks/<first 4 hex>/<64 hex>` (`spec/datastore-layout.md` §2.1). */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";

/** Highest number of a `.n.bad` file. */
export const MAX_BAD = 9;

/** `<4 hex>/<64 hex>` of a digest, with `.<n>.bad` where given. Throws unless the digest has 32 bytes. */
export function chunkPath(digest: Uint8Array, bad?: number): string {
  if (digest.length !== 32) throw new DozoError(`a chunk digest has 32 bytes, not ${digest.length}`);
  const hex = toHex(digest);
  return `${hex.slice(0, 4)}/${hex}${bad === undefined ? "" : `.${bad}.bad`}`;
}

/** Name of the n-th chunk directory, 0 … 65535. */
export function chunkDirectoryName(n: number): string {
  return n.toString(16).padStart(4, "0");
}

/** Digest in hex and bad number of a file name in a chunk directory; undefined for any other name. */
export function parseChunkName(name: string): { hex: string; bad?: number } | undefined {
  const match = /^([0-9a-f]{64})(?:\.([0-9])\.bad)?$/.exec(name);
  if (!match) return undefined;
  return match[2] === undefined ? { hex: match[1] } : { hex: match[1], bad: Number(match[2]) };
}
