/**
 * AES-256-GCM with the 16-byte IV of blobs and key files (`spec/blob.md` §3), no additional data:
 * libcrypto on other threads for large data, WebCrypto where that library is missing.
 */
import { DozoError } from "../base/errors.ts";
import { ASYNC_THRESHOLD, computeSlots } from "./in_flight.ts";
import { ffiBytes, fixedBytes, holding } from "./library.ts";
import { type LibCrypto, libcrypto } from "./libcrypto.ts";

/** Bytes of the authentication tag. */
export const GCM_TAG_SIZE = 16;
/** Bytes of the initialisation vector. */
export const GCM_IV_SIZE = 16;

const KEY_SIZE = 32;
const SET_IV_LENGTH = 0x9;
const GET_TAG = 0x10;
const SET_TAG = 0x11;
const PIECE = 1 << 30;

/** Encrypts `plain`; the body has its length. Throws {@link DozoError} for a key or IV of the wrong length. */
export async function aesGcmEncrypt(
  key: Uint8Array,
  iv: Uint8Array,
  plain: Uint8Array,
): Promise<{ tag: Uint8Array<ArrayBuffer>; body: Uint8Array<ArrayBuffer> }> {
  const body = fixedBytes(plain.length);
  return { tag: await aesGcmEncryptInto(key, iv, plain, body), body };
}

/**
 * Encrypts `plain` into `body`, which has the same length and may be the very same bytes, and returns the tag (16 bytes).
 * Throws {@link DozoError} for a key, IV or body of the wrong length.
 */
export async function aesGcmEncryptInto(
  key: Uint8Array,
  iv: Uint8Array,
  plain: Uint8Array,
  body: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  checkLengths(key, iv, plain, body);
  const crypto = libcrypto();
  return crypto === null
    ? await encryptBuiltIn(key, iv, plain, body)
    : await encryptLibrary(crypto, key, iv, plain, body);
}

/** Decrypts `body`. Throws {@link DozoError} when the tag does not match (wrong key, or changed data). */
export async function aesGcmDecrypt(
  key: Uint8Array,
  iv: Uint8Array,
  tag: Uint8Array,
  body: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const plain = fixedBytes(body.length);
  await aesGcmDecryptInto(key, iv, tag, body, plain);
  return plain;
}

/**
 * Decrypts `body` into `plain`, which has the same length and may be the very same bytes.
 * Throws {@link DozoError} when the tag does not match; `plain` is zeroed then.
 */
export async function aesGcmDecryptInto(
  key: Uint8Array,
  iv: Uint8Array,
  tag: Uint8Array,
  body: Uint8Array,
  plain: Uint8Array,
): Promise<void> {
  checkLengths(key, iv, body, plain);
  if (tag.length !== GCM_TAG_SIZE) throw new DozoError(`an authentication tag has 16 bytes, not ${tag.length}`);
  const crypto = libcrypto();
  const good = crypto === null
    ? await decryptBuiltIn(key, iv, tag, body, plain)
    : await decryptLibrary(crypto, key, iv, tag, body, plain);
  if (good) return;
  plain.fill(0);
  throw new DozoError("unable to decrypt: wrong key or damaged data (authentication tag mismatch)");
}

/** {@link aesGcmEncryptInto} by libcrypto. */
export async function encryptLibrary(
  crypto: LibCrypto,
  key: Uint8Array,
  iv: Uint8Array,
  plain: Uint8Array,
  body: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const tag = new Uint8Array(GCM_TAG_SIZE);
  await runCipher(crypto, { key, iv, input: plain, output: body, encrypt: true }, (context) => {
    return crypto.lib.EVP_CIPHER_CTX_ctrl(context, GET_TAG, GCM_TAG_SIZE, tag) === 1;
  });
  return tag;
}

/** Decryption by libcrypto; false for a tag mismatch. */
export function decryptLibrary(
  crypto: LibCrypto,
  key: Uint8Array,
  iv: Uint8Array,
  tag: Uint8Array,
  body: Uint8Array,
  plain: Uint8Array,
): Promise<boolean> {
  return runCipher(crypto, { key, iv, input: body, output: plain, encrypt: false, tag }, () => true);
}

/** {@link aesGcmEncryptInto} by the runtime's own code. */
export async function encryptBuiltIn(
  key: Uint8Array,
  iv: Uint8Array,
  plain: Uint8Array,
  body: Uint8Array,
): Promise<Uint8Array<ArrayBuffer>> {
  const secret = await importKey(key);
  const sealed = await computeSlots.run(() => crypto.subtle.encrypt(parametersOf(iv), secret, ffiBytes(plain)));
  body.set(new Uint8Array(sealed, 0, plain.length));
  return new Uint8Array(sealed.slice(plain.length));
}

/** Decryption by the runtime's own code; false for a tag mismatch. */
export async function decryptBuiltIn(
  key: Uint8Array,
  iv: Uint8Array,
  tag: Uint8Array,
  body: Uint8Array,
  plain: Uint8Array,
): Promise<boolean> {
  const secret = await importKey(key);
  const sealed = fixedBytes(body.length + tag.length);
  sealed.set(body);
  sealed.set(tag, body.length);
  try {
    plain.set(
      new Uint8Array(await computeSlots.run(() => crypto.subtle.decrypt(parametersOf(iv), secret, sealed))),
    );
    return true;
  } catch (error) {
    if (error instanceof DOMException && error.name === "OperationError") return false;
    throw error;
  }
}

interface CipherRun {
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly encrypt: boolean;
  readonly tag?: Uint8Array;
}

async function runCipher(
  crypto: LibCrypto,
  run: CipherRun,
  finish: (context: Deno.PointerObject) => boolean,
): Promise<boolean> {
  const { lib } = crypto;
  const large = run.input.length >= ASYNC_THRESHOLD;
  if (large) await computeSlots.acquire();
  const context = crypto.cipherContexts.take();
  try {
    const direction = run.encrypt ? 1 : 0;
    const ready = lib.EVP_CipherInit_ex(context, crypto.aes256Gcm, null, null, null, direction) === 1 &&
      lib.EVP_CIPHER_CTX_ctrl(context, SET_IV_LENGTH, GCM_IV_SIZE, null) === 1 &&
      lib.EVP_CipherInit_ex(context, null, null, ffiBytes(run.key), ffiBytes(run.iv), direction) === 1;
    if (!ready) throw new DozoError("the system's cryptographic library refuses AES-256-GCM", { status: 500 });
    const written = fixedBytes(8);
    for (let at = 0; at < run.input.length; at += PIECE) {
      const input = ffiBytes(run.input.subarray(at, at + PIECE));
      const output = ffiBytes(run.output.subarray(at, at + PIECE));
      const result = large
        ? await holding(
          lib.cipherUpdateNonblocking(context, output, written, input, input.length),
          output,
          written,
          input,
        )
        : lib.EVP_CipherUpdate(context, output, written, input, input.length);
      if (result !== 1) throw new DozoError("the system's cryptographic library failed", { status: 500 });
    }
    if (run.tag && lib.EVP_CIPHER_CTX_ctrl(context, SET_TAG, GCM_TAG_SIZE, ffiBytes(run.tag)) !== 1) return false;
    if (lib.EVP_CipherFinal_ex(context, fixedBytes(GCM_TAG_SIZE), written) !== 1) return false;
    return finish(context);
  } finally {
    lib.EVP_CIPHER_CTX_reset(context);
    crypto.cipherContexts.give(context);
    if (large) computeSlots.release();
  }
}

function importKey(key: Uint8Array): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", ffiBytes(key), "AES-GCM", false, ["encrypt", "decrypt"]);
}

function parametersOf(iv: Uint8Array): AesGcmParams {
  return { name: "AES-GCM", iv: ffiBytes(iv), tagLength: 8 * GCM_TAG_SIZE };
}

function checkLengths(key: Uint8Array, iv: Uint8Array, input: Uint8Array, output: Uint8Array): void {
  if (key.length !== KEY_SIZE) throw new DozoError(`an AES-256 key has 32 bytes, not ${key.length}`);
  if (iv.length !== GCM_IV_SIZE) throw new DozoError(`an initialisation vector has 16 bytes, not ${iv.length}`);
  if (input.length !== output.length) {
    throw new DozoError(`the output of AES-GCM has ${input.length} bytes, the buffer ${output.length}`);
  }
}
