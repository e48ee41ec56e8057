/** SHA-256: libcrypto on other threads for large data, `node:crypto` where that library is missing. */
import { createHash, type Hash } from "node:crypto";
import { ASYNC_THRESHOLD, computeSlots } from "./in_flight.ts";
import { ffiBytes, fixedBytes, holding } from "./library.ts";
import { type LibCrypto, libcrypto } from "./libcrypto.ts";

/** Bytes of a digest. */
export const SHA256_SIZE = 32;

/**
 * Digest (32 bytes) of all parts in order. Large data is hashed on another thread, at most one call per core and one
 * more at a time; the parts must not change until the promise is settled.
 */
export async function sha256(...parts: readonly Uint8Array[]): Promise<Uint8Array<ArrayBuffer>> {
  const crypto = libcrypto();
  if (crypto === null || lengthOf(parts) < ASYNC_THRESHOLD) return sha256Sync(...parts);
  return await computeSlots.run(() => hashNonblocking(crypto, parts));
}

/** Digest (32 bytes) of all parts in order, at once on this thread. */
export function sha256Sync(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const crypto = libcrypto();
  return crypto === null ? sha256BuiltIn(...parts) : sha256Library(crypto, ...parts);
}

/** {@link sha256Sync} by libcrypto. */
export function sha256Library(crypto: LibCrypto, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const digest = new Uint8Array(SHA256_SIZE);
  if (parts.length === 1) {
    crypto.lib.SHA256(ffiBytes(parts[0]), parts[0].length, digest);
    return digest;
  }
  const context = crypto.digestContexts.take();
  crypto.lib.EVP_DigestInit_ex(context, crypto.sha256, null);
  for (const part of parts) crypto.lib.EVP_DigestUpdate(context, ffiBytes(part), part.length);
  crypto.lib.EVP_DigestFinal_ex(context, digest, null);
  crypto.digestContexts.give(context);
  return digest;
}

/** {@link sha256Sync} by the runtime's own code. */
export function sha256BuiltIn(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

/** Digest by libcrypto with the large parts on another thread; the caller bounds how many run at once. */
export async function hashNonblocking(
  crypto: LibCrypto,
  parts: readonly Uint8Array[],
): Promise<Uint8Array<ArrayBuffer>> {
  const digest = fixedBytes(SHA256_SIZE);
  if (parts.length === 1) {
    const data = ffiBytes(parts[0]);
    await holding(crypto.lib.sha256Nonblocking(data, data.length, digest), data, digest);
    return digest;
  }
  const context = crypto.digestContexts.take();
  try {
    crypto.lib.EVP_DigestInit_ex(context, crypto.sha256, null);
    for (const part of parts) {
      if (part.length < ASYNC_THRESHOLD) crypto.lib.EVP_DigestUpdate(context, ffiBytes(part), part.length);
      else await holding(crypto.lib.digestUpdateNonblocking(context, ffiBytes(part), part.length), part);
    }
    crypto.lib.EVP_DigestFinal_ex(context, digest, null);
    return digest;
  } finally {
    crypto.digestContexts.give(context);
  }
}

/** A digest of data that comes piece by piece. */
export class Sha256 {
  readonly #hash: Hash = createHash("sha256");

  /** Adds data; it may change afterwards. */
  update(data: Uint8Array): this {
    this.#hash.update(data);
    return this;
  }

  /** Ends the computation and returns the 32 bytes. Only once; a later call of either method throws. */
  digest(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#hash.digest());
  }
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.length;
  return length;
}
