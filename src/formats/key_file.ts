/** The key file: an encryption key as JSON, plain or protected by a passphrase (`spec/manifest-and-crypto.md` §2.4). */
import { bytesEqual, concatBytes } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";
import { aesGcmDecrypt, aesGcmEncrypt, pbkdf2Sha256, randomBytes, scrypt } from "../native/crypto.ts";
import { CryptKey, formatFingerprint, KEY_LENGTH, parseFingerprint } from "./crypt_key.ts";
import { isJsonObject, type JsonObject, type JsonValue, parseJsonObject } from "./json.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";

/** How the passphrase becomes the key that protects the key; null: not protected. */
export type KeyDerivation =
  | null
  | { readonly scrypt: { readonly n: number; readonly r: number; readonly p: number }; readonly salt: Uint8Array }
  | { readonly pbkdf2: { readonly iter: number }; readonly salt: Uint8Array };

/** Name of a key derivation in options and listings. */
export type KdfName = "none" | "scrypt" | "pbkdf2";

/** A key file. Times are epoch seconds. */
export interface KeyFile {
  readonly kdf: KeyDerivation;
  readonly created: number;
  readonly modified: number;
  /** The raw key, or IV ‖ tag ‖ ciphertext. */
  readonly data: Uint8Array;
  readonly fingerprint?: Uint8Array;
  /** Shown when the passphrase is wrong; 1 to 64 characters; not with an unprotected key. */
  readonly hint?: string;
}

/** Asks for the passphrase of a key; only called for a protected one. */
export type PassphraseSource = () => string | Uint8Array | Promise<string | Uint8Array>;

/** Shortest passphrase in bytes. */
export const MIN_PASSPHRASE_LENGTH = 5;

const MAX_KEY_FILE_SIZE = 64 * 1024;
const PROTECTED_LENGTH = 16 + 16 + KEY_LENGTH;
const SALT_LENGTH = 32;
const SCRYPT = { n: 65536, r: 8, p: 1 } as const;
const PBKDF2 = { iter: 65535 } as const;
const MAX_SCRYPT_MEMORY = 1025 * 1024 * 1024;
const MAX_SCRYPT_WORK = 2 ** 26;
const MAX_PBKDF2_ITERATIONS = 10_000_000;
const MAX_SALT_LENGTH = 1024;

/** Parses a key file. Throws {@link FormatError} for anything that the format does not allow. */
export function parseKeyFile(text: Uint8Array | string): KeyFile {
  const json = parseJsonObject(text, "key file", MAX_KEY_FILE_SIZE);
  const kdf = readKdf(json["kdf"]);
  const data = readBase64(json["data"], "data");
  if (data.length !== (kdf ? PROTECTED_LENGTH : KEY_LENGTH)) {
    throw new FormatError(`key file: data has ${data.length} bytes`);
  }
  const { fingerprint, hint } = json;
  if (hint !== undefined && hint !== null && typeof hint !== "string") {
    throw new FormatError("key file: hint is not text");
  }
  if (fingerprint !== undefined && fingerprint !== null && typeof fingerprint !== "string") {
    throw new FormatError("key file: fingerprint is not text");
  }
  return {
    kdf,
    created: readTime(json["created"], "created"),
    modified: readTime(json["modified"], "modified"),
    data,
    ...(fingerprint ? { fingerprint: parseFingerprint(fingerprint) } : {}),
    ...(hint ? { hint } : {}),
  };
}

/**
 * The JSON text in the established form: one line, no newline at the end. Times are written with the given offset from
 * UTC in minutes (local time, for the standard client).
 */
export function formatKeyFile(file: KeyFile, utcOffset: number | ((epoch: number) => number) = 0): string {
  return JSON.stringify(keyFileJson(file, utcOffset));
}

/** As {@link formatKeyFile}, but over several lines with two spaces per level, for paper. */
export function formatKeyFilePretty(file: KeyFile, utcOffset: number | ((epoch: number) => number) = 0): string {
  return JSON.stringify(keyFileJson(file, utcOffset), null, 2);
}

/** Name of the key derivation of a key file. */
export function kdfName(file: KeyFile): KdfName {
  if (file.kdf === null) return "none";
  return "scrypt" in file.kdf ? "scrypt" : "pbkdf2";
}

/**
 * The key inside a key file. Throws {@link DozoError} for a wrong or too short passphrase (with the hint), or when the
 * stored fingerprint belongs to another key.
 */
export async function openKeyFile(file: KeyFile, passphrase: PassphraseSource): Promise<CryptKey> {
  const key = CryptKey.fromRaw(file.kdf === null ? file.data : await unprotect(file, await passphrase()));
  if (file.fingerprint && !bytesEqual(file.fingerprint, key.fingerprint)) {
    throw new DozoError(
      `the key file names the fingerprint ${formatFingerprint(file.fingerprint)}, ` +
        `but its key has ${formatFingerprint(key.fingerprint)}: the file is damaged`,
    );
  }
  return key;
}

/**
 * A key file for `key`. Creating: `created` = `modified` = now. Changing the passphrase: keep `created`. Throws
 * {@link DozoError} for a missing or too short passphrase, a hint for an unprotected key, or a hint outside 1 … 64
 * characters.
 */
export async function protectKey(
  key: CryptKey,
  options: { kdf: KdfName; passphrase?: string | Uint8Array; hint?: string; created: number; modified: number },
): Promise<KeyFile> {
  const { kdf, passphrase, hint, created, modified } = options;
  const common = { created, modified, fingerprint: key.fingerprint };
  if (kdf === "none") {
    if (hint !== undefined) throw new DozoError("a password hint makes no sense for a key without password");
    return { kdf: null, data: key.encKey, ...common };
  }
  if (passphrase === undefined) throw new DozoError(`a key protected with ${kdf} needs a passphrase`);
  if (hint !== undefined && (hint.length < 1 || hint.length > 64 || /\p{Cc}/u.test(hint))) {
    throw new DozoError("a password hint has 1 to 64 characters on one line");
  }
  const salt = randomBytes(SALT_LENGTH);
  const derivation = kdf === "scrypt" ? { scrypt: SCRYPT, salt } : { pbkdf2: PBKDF2, salt };
  const iv = randomBytes(16);
  const { tag, body } = await aesGcmEncrypt(await deriveKey(derivation, passphrase), iv, key.encKey);
  return { kdf: derivation, data: concatBytes(iv, tag, body), ...common, ...(hint === undefined ? {} : { hint }) };
}

/** A fresh random key. */
export function generateKey(): CryptKey {
  return CryptKey.fromRaw(randomBytes(KEY_LENGTH));
}

async function unprotect(file: KeyFile, passphrase: string | Uint8Array): Promise<Uint8Array> {
  const { kdf, data, hint } = file;
  const derived = await deriveKey(kdf as NonNullable<KeyDerivation>, passphrase);
  try {
    return await aesGcmDecrypt(derived, data.subarray(0, 16), data.subarray(16, 32), data.subarray(32));
  } catch (cause) {
    throw new DozoError(`Unable to decrypt key${hint === undefined ? "" : ` (password hint: ${hint})`}`, { cause });
  }
}

async function deriveKey(kdf: NonNullable<KeyDerivation>, passphrase: string | Uint8Array): Promise<Uint8Array> {
  const bytes = typeof passphrase === "string" ? new TextEncoder().encode(passphrase) : passphrase;
  if (bytes.length < MIN_PASSPHRASE_LENGTH) throw new DozoError("Passphrase is too short!");
  return "scrypt" in kdf
    ? await scrypt(bytes, kdf.salt, kdf.scrypt, KEY_LENGTH)
    : await pbkdf2Sha256(bytes, kdf.salt, kdf.pbkdf2.iter, KEY_LENGTH);
}

function keyFileJson(file: KeyFile, utcOffset: number | ((epoch: number) => number)): JsonObject {
  const time = (epoch: number) => formatRfc3339(epoch, typeof utcOffset === "number" ? utcOffset : utcOffset(epoch));
  return {
    kdf: kdfJson(file.kdf),
    created: time(file.created),
    modified: time(file.modified),
    data: toBase64(file.data),
    ...(file.fingerprint ? { fingerprint: formatFingerprint(file.fingerprint) } : {}),
    ...(file.hint === undefined ? {} : { hint: file.hint }),
  };
}

function kdfJson(kdf: KeyDerivation): JsonValue {
  if (kdf === null) return null;
  const salt = toBase64(kdf.salt);
  if ("scrypt" in kdf) return { Scrypt: { n: kdf.scrypt.n, r: kdf.scrypt.r, p: kdf.scrypt.p, salt } };
  return { PBKDF2: { iter: kdf.pbkdf2.iter, salt } };
}

function readKdf(kdf: JsonValue | undefined): KeyDerivation {
  if (kdf === null || kdf === undefined) return null;
  if (isJsonObject(kdf) && isJsonObject(kdf["Scrypt"])) {
    const { n, r, p, salt } = kdf["Scrypt"];
    if (!isCount(n) || !isCount(r) || !isCount(p) || n < 2 || !Number.isInteger(Math.log2(n))) {
      throw new FormatError("key file: malformed scrypt parameters");
    }
    if (128 * r * (n + p + 2) > MAX_SCRYPT_MEMORY || n * r * p > MAX_SCRYPT_WORK) {
      throw new FormatError("key file: scrypt parameters ask for more than 1025 MiB of memory or too much time");
    }
    return { scrypt: { n, r, p }, salt: readSalt(salt) };
  }
  if (isJsonObject(kdf) && isJsonObject(kdf["PBKDF2"])) {
    const { iter, salt } = kdf["PBKDF2"];
    if (!isCount(iter) || iter > MAX_PBKDF2_ITERATIONS) throw new FormatError("key file: malformed PBKDF2 parameters");
    return { pbkdf2: { iter }, salt: readSalt(salt) };
  }
  throw new FormatError("key file: kdf is neither null nor Scrypt nor PBKDF2");
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function readSalt(value: JsonValue | undefined): Uint8Array {
  const salt = readBase64(value, "salt");
  if (salt.length > MAX_SALT_LENGTH) throw new FormatError("key file: salt is too long");
  return salt;
}

function readTime(value: JsonValue | undefined, member: string): number {
  if (typeof value !== "string") throw new FormatError(`key file: ${member} is not a time`);
  return parseRfc3339(value);
}

function readBase64(value: JsonValue | undefined, member: string): Uint8Array<ArrayBuffer> {
  if (typeof value !== "string" || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw new FormatError(`key file: ${member} is not base64`);
  }
  return Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
