/** The encryption key of a client and what is derived from it: chunk digests, manifest signatures, its fingerprint. */
import { fromHex, toHex } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { hmacSha256, sha256, sha256Sync } from "../native/crypto.ts";

/** Length in bytes of a raw key, of a digest and of a fingerprint. */
export const KEY_LENGTH = 32;

/** SHA-256 of "Proxmox Backup Encryption Key Fingerprint" (`spec/manifest-and-crypto.md` §2.3). */
const FINGERPRINT_INPUT = fromHex("6ed0ef77471fff4d55c7a8fe4a9db62161407f134c725ddf30992d25ec45ed26");
const ID_KEY_SALT = new TextEncoder().encode("_id_key");
const ID_KEY_ROUNDS = 10;

/** One AES-256 key with its derived values (`spec/manifest-and-crypto.md` §2). Immutable. */
export class CryptKey {
  /** The raw key: AES-256-GCM of blobs and chunks. Secret. */
  readonly encKey: Uint8Array<ArrayBuffer>;
  /** Derived key for digests and signatures. Secret. */
  readonly idKey: Uint8Array<ArrayBuffer>;
  /** 32 bytes that name the key in manifests. Public. */
  readonly fingerprint: Uint8Array<ArrayBuffer>;

  private constructor(raw: Uint8Array<ArrayBuffer>) {
    this.encKey = raw;
    this.idKey = deriveIdKey(raw);
    this.fingerprint = sha256Sync(FINGERPRINT_INPUT, this.idKey);
  }

  /** Key from its 32 raw bytes, which are copied. Throws {@link FormatError} on another length. */
  static fromRaw(raw: Uint8Array): CryptKey {
    if (raw.length !== KEY_LENGTH) {
      throw new FormatError(`an encryption key has ${KEY_LENGTH} bytes, not ${raw.length}`);
    }
    return new CryptKey(new Uint8Array(raw));
  }

  /** Digest of a chunk encrypted with this key: SHA-256(data ‖ id key). */
  digest(data: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    return chunkDigest(data, this);
  }

  /** HMAC-SHA-256 with the id key, as manifests are signed. */
  authTag(message: Uint8Array): Uint8Array<ArrayBuffer> {
    return hmacSha256(this.idKey, message);
  }
}

/** Name of a chunk (`spec/blob.md` §5): SHA-256 of the plain data, with a key SHA-256(data ‖ id key). Does not copy. */
export function chunkDigest(data: Uint8Array, key?: CryptKey): Promise<Uint8Array<ArrayBuffer>> {
  return key ? sha256(data, key.idKey) : sha256(data);
}

/** Text form of a fingerprint: 32 lower-case hex bytes joined by `:`. */
export function formatFingerprint(fingerprint: Uint8Array): string {
  return Array.from(fingerprint, (byte) => toHex(Uint8Array.of(byte))).join(":");
}

/** Short form for messages: the first 8 bytes of {@link formatFingerprint}. */
export function shortFingerprint(fingerprint: Uint8Array): string {
  return formatFingerprint(fingerprint.subarray(0, 8));
}

/** Bytes of a fingerprint; colons are ignored. Throws {@link FormatError} unless 32 bytes of hex remain. */
export function parseFingerprint(text: string): Uint8Array<ArrayBuffer> {
  const hex = text.replaceAll(":", "");
  if (!/^[0-9a-fA-F]{64}$/.test(hex)) {
    throw new FormatError(`not a key fingerprint: '${text.slice(0, 100)}' (32 hex bytes expected)`);
  }
  return fromHex(hex);
}

/** One block of PBKDF2-HMAC-SHA-256, which is all that a 32-byte id key needs. */
function deriveIdKey(encKey: Uint8Array): Uint8Array<ArrayBuffer> {
  let round = hmacSha256(encKey, ID_KEY_SALT, Uint8Array.of(0, 0, 0, 1));
  const idKey = new Uint8Array(round);
  for (let i = 1; i < ID_KEY_ROUNDS; i++) {
    round = hmacSha256(encKey, round);
    for (let k = 0; k < KEY_LENGTH; k++) idKey[k] ^= round[k];
  }
  return idKey;
}
