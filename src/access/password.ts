/** Password hashes: verification of what PBS writes, and new ones (`spec/auth.md` §7.1). */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { DozoError } from "../base/errors.ts";
import { crypt, cryptSetting } from "../native/crypt.ts";
import { shaCrypt } from "./sha_crypt.ts";

/** Cost that PBS uses for yescrypt. */
const YESCRYPT_COST = 5;

/** A new hash: yescrypt, or SHA-256-crypt where libcrypt is missing. PBS reads both. */
export async function hashPassword(password: string): Promise<string> {
  const setting = cryptSetting("$y$", YESCRYPT_COST, new Uint8Array(randomBytes(32)));
  const hash = setting === undefined ? undefined : await crypt(password, setting);
  if (hash !== undefined) return hash;
  const salt = randomBytes(12).toString("base64").replaceAll("+", ".");
  const fallback = shaCrypt(password, `$5$rounds=100000$${salt}`);
  if (fallback === undefined) throw new DozoError("unable to hash a password", { status: 500 });
  return fallback;
}

/** Whether `password` belongs to `hash`. Throws {@link DozoError} when nothing here can check that kind of hash. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const computed = await crypt(password, hash) ?? shaCrypt(password, hash);
  if (computed === undefined) {
    if (/^\$(y|gy|7|5|6|2[abxy]|1)\$/.test(hash)) {
      throw new DozoError(
        `cannot check a password hash of kind '${hash.slice(0, 3)}': install libcrypt (package libcrypt1)`,
        {
          status: 500,
        },
      );
    }
    return false;
  }
  const [a, b] = [computed, hash].map((text) => new TextEncoder().encode(text));
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Whether a verified password should be hashed anew because its hash is of an older kind. */
export function isOldHash(hash: string): boolean {
  return !hash.startsWith("$y$");
}
