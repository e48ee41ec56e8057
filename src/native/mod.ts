/**
 * The native layer: the bytes are touched by system libraries, JavaScript only decides.
 *
 * | work | library | fallback |
 * |---|---|---|
 * | SHA-256 of whole buffers (`sha256.ts`) | libcrypto.so.3 | `node:crypto` |
 * | SHA-256 of pieces, HMAC, random bytes (`sha256.ts`, `hmac.ts`) | none: `node:crypto` and WebCrypto are as fast | – |
 * | AES-256-GCM with 16-byte IV (`aes_gcm.ts`) | libcrypto.so.3 | WebCrypto |
 * | scrypt, PBKDF2 (`key_derivation.ts`) | libcrypto.so.3 | `node:crypto` |
 * | crypt(3) password hashes (`crypt.ts`) | libcrypt.so.1 | SHA-crypt in `src/access` |
 * | CRC-32 (`crc32.ts`) | none: `node:zlib` is faster than libz | – |
 * | zstd of whole buffers (`zstd.ts`) | libzstd.so.1 | `node:zlib` |
 * | decompressing zstd streams (`zstd_stream.ts`) | libzstd.so.1 | `node:zlib`, at most 256 MiB |
 * | compressing zstd streams (`zstd_stream.ts`) | none: `node:zlib` | – |
 * | files, locks, processes, terminal (`fs.ts`, `lock.ts`, `process.ts`, `terminal.ts`) | libc.so.6 | none: the runtime needs it too |
 *
 * RSA (PKCS#1 v1.5, OAEP, encrypted PEM keys) and TLS are the runtime's own and need nothing from here.
 *
 * A library is opened when it is first needed. `DOZO_NATIVE=off` in the environment leaves libcrypto and libzstd alone.
 * Each binding has one test that compares it with its fallback; both halves are exported by their file for that
 * (`…Library`, `…BuiltIn`).
 *
 * Rules of foreign calls here:
 *
 * - Data from 64 KiB on is worked on by another thread, at most cores + 1 such calls at a time (`in_flight.ts`), reads and
 *   writes at most eight; smaller data at once, as handing over costs 20 to 50 µs.
 * - The runtime does not keep the memory of a call on another thread: `holding` does (`library.ts`).
 * - The error number is read from this thread's memory right after a synchronous call. That of another thread is out of
 *   reach: a failed read or write is repeated synchronously, a failed sync is reported as EIO and never repeated.
 * - Names go through fixed buffers, results come from fixed buffers: no synchronous function here is re-entered.
 *
 * @module
 */
export * from "./crc32.ts";
export * from "./crypt.ts";
export * from "./crypto.ts";
export * from "./fs.ts";
export * from "./lock.ts";
export * from "./process.ts";
export * from "./terminal.ts";
export * from "./zstd.ts";
export * from "./zstd_stream.ts";
