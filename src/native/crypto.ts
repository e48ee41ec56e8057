/** Everything cryptographic that works on bytes. RSA and TLS are the runtime's own (`node:crypto`, `Deno.listenTls`). */
export { Sha256, sha256, SHA256_SIZE, sha256Sync } from "./sha256.ts";
export { hmacSha256, randomBytes } from "./hmac.ts";
export { pbkdf2Sha256, scrypt, SCRYPT_MAX_MEMORY, type ScryptCost } from "./key_derivation.ts";
export {
  aesGcmDecrypt,
  aesGcmDecryptInto,
  aesGcmEncrypt,
  aesGcmEncryptInto,
  GCM_IV_SIZE,
  GCM_TAG_SIZE,
} from "./aes_gcm.ts";
