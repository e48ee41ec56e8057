/** The RSA master key, with which encryption keys are put in escrow (`spec/manifest-and-crypto.md` §2.6). */
import {
  constants,
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from "node:crypto";
import { DozoError } from "../base/errors.ts";
import type { CryptKey } from "./crypt_key.ts";
import { formatKeyFile, type KeyFile, parseKeyFile, protectKey } from "./key_file.ts";

/** Both halves of a master key as PEM text. */
export interface MasterKeyPair {
  /** PKCS#8, encrypted with AES-256-CBC. */
  readonly privatePem: string;
  /** SubjectPublicKeyInfo. */
  readonly publicPem: string;
}

/** Public parameters of a master key, as `key show-master-pubkey` prints them. */
export interface MasterKeyInfo {
  /** Upper-case hex. */
  readonly modulus: string;
  /** Decimal. */
  readonly exponent: string;
  /** Bits of the modulus. */
  readonly length: number;
}

/** PKCS#1 v1.5 padding takes at least this much of the modulus. */
const PADDING_SIZE = 11;
const MAX_PEM_SIZE = 64 * 1024;

/** A new RSA key pair of 4096 bits; takes seconds. */
export function createMasterKey(passphrase: string, bits = 4096): Promise<MasterKeyPair> {
  return new Promise((resolve, reject) => {
    const options = {
      modulusLength: bits,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase },
    } as const;
    generateKeyPair("rsa", options, (error, publicPem, privatePem) => {
      if (error) reject(error);
      else resolve({ privatePem, publicPem });
    });
  });
}

/** Parameters of a public master key. Throws {@link DozoError} when the text is no RSA public key. */
export function masterKeyInfo(publicPem: string): MasterKeyInfo {
  const { n = "", e = "" } = readPublicKey(publicPem).export({ format: "jwk" });
  const modulus = base64UrlHex(n);
  return {
    modulus: modulus.toUpperCase(),
    exponent: BigInt(`0x${base64UrlHex(e)}`).toString(),
    length: BigInt(`0x${modulus}`).toString(2).length,
  };
}

/**
 * Content of `rsa-encrypted.key.blob`: the key as unprotected key file, encrypted with the public master key. `created`
 * is that of the original key file; times are epoch seconds, `utcOffset` as in {@link formatKeyFile}. Throws
 * {@link DozoError} for a text that is no RSA public key or one of less than 2128 bits.
 */
export async function wrapKey(
  publicPem: string,
  key: CryptKey,
  options: { created: number; modified: number; utcOffset?: number | ((epoch: number) => number) },
): Promise<Uint8Array<ArrayBuffer>> {
  const { created, modified, utcOffset } = options;
  const file = await protectKey(key, { kdf: "none", created, modified });
  const text = new TextEncoder().encode(formatKeyFile(file, utcOffset));
  const needed = (text.length + PADDING_SIZE) * 8;
  const { length } = masterKeyInfo(publicPem);
  if (length < needed) {
    throw new DozoError(`the master key has ${length} bits, but wrapping a key needs at least ${needed}: use 4096`);
  }
  return new Uint8Array(publicEncrypt({ key: readPublicKey(publicPem), padding: constants.RSA_PKCS1_PADDING }, text));
}

/**
 * The key file inside `rsa-encrypted.key.blob` (its blob content). Throws {@link DozoError} for a wrong passphrase, a
 * text that is no RSA private key, or a ciphertext made with another master key.
 */
export function unwrapKey(privatePem: string, passphrase: string, ciphertext: Uint8Array): KeyFile {
  const key = readPrivateKey(privatePem, passphrase);
  try {
    return parseKeyFile(privateDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, ciphertext));
  } catch (cause) {
    throw new DozoError("unable to decrypt the key with this master key: it was wrapped with another one", { cause });
  }
}

function readPublicKey(pem: string): KeyObject {
  return readRsaKey(pem, "public", () => createPublicKey(pem));
}

function readPrivateKey(pem: string, passphrase: string): KeyObject {
  return readRsaKey(pem, "private", () => createPrivateKey({ key: pem, format: "pem", passphrase }));
}

function readRsaKey(pem: string, half: "public" | "private", read: () => KeyObject): KeyObject {
  if (pem.length > MAX_PEM_SIZE) throw new DozoError(`this is no RSA ${half} key: the text is too long`);
  let key: KeyObject;
  try {
    key = read();
  } catch (cause) {
    const advice = half === "private" ? "wrong passphrase, or not a PEM file of" : "not a PEM file of";
    throw new DozoError(`unable to read the master key: ${advice} an RSA ${half} key`, { cause });
  }
  if (key.asymmetricKeyType !== "rsa") throw new DozoError(`this is no RSA key but ${key.asymmetricKeyType}`);
  return key;
}

function base64UrlHex(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Array.from(binary, (character) => character.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}
