/** The part of OpenSSL 3 that is used, and pools of its contexts. */
import { nativeWanted, once, openLibrary, type Symbols } from "./library.ts";

const SYMBOLS = {
  SHA256: { parameters: ["buffer", "usize", "buffer"], result: "pointer" },
  sha256Nonblocking: {
    name: "SHA256",
    parameters: ["buffer", "usize", "buffer"],
    result: "pointer",
    nonblocking: true,
  },
  EVP_MD_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_MD_CTX_new: { parameters: [], result: "pointer" },
  EVP_MD_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_DigestInit_ex: { parameters: ["pointer", "pointer", "pointer"], result: "i32" },
  EVP_DigestUpdate: { parameters: ["pointer", "buffer", "usize"], result: "i32" },
  digestUpdateNonblocking: {
    name: "EVP_DigestUpdate",
    parameters: ["pointer", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  EVP_DigestFinal_ex: { parameters: ["pointer", "buffer", "pointer"], result: "i32" },
  EVP_CIPHER_fetch: { parameters: ["pointer", "buffer", "pointer"], result: "pointer" },
  EVP_CIPHER_CTX_new: { parameters: [], result: "pointer" },
  EVP_CIPHER_CTX_free: { parameters: ["pointer"], result: "void" },
  EVP_CIPHER_CTX_reset: { parameters: ["pointer"], result: "i32" },
  EVP_CIPHER_CTX_ctrl: { parameters: ["pointer", "i32", "i32", "buffer"], result: "i32" },
  EVP_CipherInit_ex: { parameters: ["pointer", "pointer", "pointer", "buffer", "buffer", "i32"], result: "i32" },
  EVP_CipherUpdate: { parameters: ["pointer", "buffer", "buffer", "buffer", "i32"], result: "i32" },
  cipherUpdateNonblocking: {
    name: "EVP_CipherUpdate",
    parameters: ["pointer", "buffer", "buffer", "buffer", "i32"],
    result: "i32",
    nonblocking: true,
  },
  EVP_CipherFinal_ex: { parameters: ["pointer", "buffer", "buffer"], result: "i32" },
  EVP_PBE_scrypt: {
    parameters: ["buffer", "usize", "buffer", "usize", "u64", "u64", "u64", "u64", "buffer", "usize"],
    result: "i32",
    nonblocking: true,
  },
  PKCS5_PBKDF2_HMAC: {
    parameters: ["buffer", "i32", "buffer", "i32", "i32", "pointer", "i32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
} as const;

/** The opened library with the algorithms fetched once (a fetch per call costs more than hashing a small message). */
export interface LibCrypto {
  readonly lib: Symbols<typeof SYMBOLS>;
  readonly sha256: Deno.PointerValue;
  readonly aes256Gcm: Deno.PointerValue;
  readonly digestContexts: ContextPool;
  readonly cipherContexts: ContextPool;
}

/** Native contexts that are used again instead of being made for each call; one is only ever in one call's hands. */
export class ContextPool {
  readonly #idle: Deno.PointerObject[] = [];
  readonly #make: () => Deno.PointerValue;
  readonly #free: (context: Deno.PointerObject) => void;
  readonly #limit: number;

  /** Keeps at most `limit` idle contexts. */
  constructor(make: () => Deno.PointerValue, free: (context: Deno.PointerObject) => void, limit = 16) {
    this.#make = make;
    this.#free = free;
    this.#limit = limit;
  }

  /** A context that nobody else holds. Throws when the library is out of memory. */
  take(): Deno.PointerObject {
    const context = this.#idle.pop() ?? this.#make();
    if (context === null) throw new Error("a system library is out of memory");
    return context;
  }

  /** Gives a context back after its last call has ended. */
  give(context: Deno.PointerObject): void {
    if (this.#idle.length < this.#limit) this.#idle.push(context);
    else this.#free(context);
  }
}

/** libcrypto, or null where it is missing, older than 3.0 or turned off. */
export const libcrypto: () => LibCrypto | null = once(() => nativeWanted() ? openLibcrypto() : null);

/** Opens libcrypto whatever the environment says; for {@link libcrypto} and for tests. */
export function openLibcrypto(): LibCrypto | null {
  const lib = openLibrary(["libcrypto.so.3"], SYMBOLS);
  if (lib === null) return null;
  const text = new TextEncoder();
  const sha256 = lib.EVP_MD_fetch(null, text.encode("SHA256\0"), null);
  const aes256Gcm = lib.EVP_CIPHER_fetch(null, text.encode("AES-256-GCM\0"), null);
  if (sha256 === null || aes256Gcm === null) return null;
  return {
    lib,
    sha256,
    aes256Gcm,
    digestContexts: new ContextPool(lib.EVP_MD_CTX_new, lib.EVP_MD_CTX_free),
    cipherContexts: new ContextPool(lib.EVP_CIPHER_CTX_new, lib.EVP_CIPHER_CTX_free),
  };
}
