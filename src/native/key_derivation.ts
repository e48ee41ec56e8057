/** Keys from passwords: libcrypto on another thread, `node:crypto` where that library is missing. */
import { pbkdf2, scrypt as nodeScrypt } from "node:crypto";
import { DozoError } from "../base/errors.ts";
import { computeSlots } from "./in_flight.ts";
import { ffiBytes, fixedBytes, holding } from "./library.ts";
import { type LibCrypto, libcrypto } from "./libcrypto.ts";

/** Cost parameters of scrypt: `n` a power of two above 1. */
export interface ScryptCost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/** Most memory that scrypt may take, 1025 MiB (`spec/manifest-and-crypto.md`). */
export const SCRYPT_MAX_MEMORY = 1025 * 1024 * 1024;

/** Key of `length` bytes by scrypt. Throws {@link DozoError} for parameters that are invalid or need more than 1025 MiB. */
export async function scrypt(
  password: Uint8Array,
  salt: Uint8Array,
  cost: ScryptCost,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  checkScrypt(cost, length);
  const crypto = libcrypto();
  return await computeSlots.run(() =>
    crypto === null ? scryptBuiltIn(password, salt, cost, length) : scryptLibrary(crypto, password, salt, cost, length)
  );
}

/** Key of `length` bytes by PBKDF2 with HMAC-SHA-256. Throws {@link DozoError} for an iteration count outside 1 … 2³¹−1. */
export async function pbkdf2Sha256(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!Number.isInteger(iterations) || iterations < 1 || iterations > 0x7fff_ffff) {
    throw new DozoError(`PBKDF2 cannot run ${iterations} iterations`);
  }
  const crypto = libcrypto();
  return await computeSlots.run(() =>
    crypto === null
      ? pbkdf2BuiltIn(password, salt, iterations, length)
      : pbkdf2Library(crypto, password, salt, iterations, length)
  );
}

/** {@link scrypt} by libcrypto. */
export async function scryptLibrary(
  crypto: LibCrypto,
  password: Uint8Array,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = fixedBytes(length);
  const [secret, fixedSalt] = [fixedCopy(password), fixedCopy(salt)];
  const call = crypto.lib.EVP_PBE_scrypt(
    secret,
    secret.length,
    fixedSalt,
    fixedSalt.length,
    n,
    r,
    p,
    SCRYPT_MAX_MEMORY,
    key,
    length,
  );
  const result = await holding(call, secret, fixedSalt, key);
  if (result !== 1) throw new DozoError(`scrypt refuses the parameters n=${n}, r=${r}, p=${p}`);
  return key;
}

/** {@link scrypt} by the runtime's own code. */
export function scryptBuiltIn(
  password: Uint8Array,
  salt: Uint8Array,
  { n, r, p }: ScryptCost,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    nodeScrypt(ffiBytes(password), ffiBytes(salt), length, { N: n, r, p, maxmem: SCRYPT_MAX_MEMORY }, (error, key) => {
      if (error) reject(new DozoError(`scrypt refuses the parameters n=${n}, r=${r}, p=${p}`, { cause: error }));
      else resolve(new Uint8Array(key));
    });
  });
}

/** {@link pbkdf2Sha256} by libcrypto. */
export async function pbkdf2Library(
  crypto: LibCrypto,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = fixedBytes(length);
  const [secret, fixedSalt] = [fixedCopy(password), fixedCopy(salt)];
  const call = crypto.lib.PKCS5_PBKDF2_HMAC(
    secret,
    secret.length,
    fixedSalt,
    fixedSalt.length,
    iterations,
    crypto.sha256,
    length,
    key,
  );
  const result = await holding(call, secret, fixedSalt, key);
  if (result !== 1) throw new DozoError("the system's cryptographic library failed at PBKDF2", { status: 500 });
  return key;
}

/** {@link pbkdf2Sha256} by the runtime's own code. */
export function pbkdf2BuiltIn(
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    pbkdf2(ffiBytes(password), ffiBytes(salt), iterations, length, "sha256", (error, key) => {
      if (error) reject(error);
      else resolve(new Uint8Array(key));
    });
  });
}

function checkScrypt({ n, r, p }: ScryptCost, length: number): void {
  const valid = [n, r, p, length].every((value) => Number.isSafeInteger(value) && value > 0) &&
    n > 1 && Number.isInteger(Math.log2(n)) && r * p < 2 ** 30 && 128 * r * (n + p) <= SCRYPT_MAX_MEMORY;
  if (!valid) throw new DozoError(`scrypt cannot use the parameters n=${n}, r=${r}, p=${p}: invalid or above 1025 MiB`);
}

function fixedCopy(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const copy = fixedBytes(bytes.length);
  copy.set(bytes);
  return copy;
}
