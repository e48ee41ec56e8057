/** Password hashes of crypt(3) through libcrypt: yescrypt, bcrypt, SHA-crypt. The fallback for SHA-crypt is in `src/access`. */
import { fixedBytes, holding, once, openLibrary, type Symbols } from "./library.ts";

const SYMBOLS = {
  crypt_rn: { parameters: ["buffer", "buffer", "buffer", "i32"], result: "pointer", nonblocking: true },
  crypt_gensalt_rn: { parameters: ["buffer", "usize", "buffer", "i32", "buffer", "i32"], result: "pointer" },
} as const;

/** Size of `struct crypt_data` in libxcrypt. */
const DATA_SIZE = 32768;
const MAX_SETTING = 192;

const libcrypt: () => Symbols<typeof SYMBOLS> | null = once(() =>
  openLibrary(["libcrypt.so.1", "libcrypt.so.2"], SYMBOLS)
);

function cString(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(`${text}\0`);
  const fixed = fixedBytes(bytes.length);
  fixed.set(bytes);
  return fixed;
}

/** Whether libcrypt is there. */
export function hasCrypt(): boolean {
  return libcrypt() !== null;
}

/**
 * Hash of `password` under `setting` (a whole hash or its salt part), computed on another thread. Undefined when the
 * library is missing or does not know the kind of hash.
 */
export async function crypt(password: string, setting: string): Promise<string | undefined> {
  const lib = libcrypt();
  if (!lib || password.includes("\0") || setting.includes("\0")) return undefined;
  const data = fixedBytes(DATA_SIZE);
  const [key, salt] = [cString(password), cString(setting)];
  const result = await holding(lib.crypt_rn(key, salt, data, data.length), key, salt, data);
  if (result === null) return undefined;
  const hash = Deno.UnsafePointerView.getCString(result);
  data.fill(0);
  // A failed hash is a text that begins with an asterisk and never equals a stored one.
  return hash.startsWith("*") ? undefined : hash;
}

/** A setting for a new hash, for example of prefix `$y$` with cost 5. Undefined when the library cannot. */
export function cryptSetting(prefix: string, cost: number, random: Uint8Array<ArrayBuffer>): string | undefined {
  const lib = libcrypt();
  if (!lib) return undefined;
  const output = new Uint8Array(MAX_SETTING);
  const result = lib.crypt_gensalt_rn(cString(prefix), cost, random, random.length, output, output.length);
  return result === null ? undefined : Deno.UnsafePointerView.getCString(result);
}
