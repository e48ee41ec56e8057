/** Access to the golden vectors. */

/** Bytes of `test/vectors/<path>`. */
export function vector(path: string): Uint8Array<ArrayBuffer> {
  return Deno.readFileSync(new URL(`./vectors/${path}`, import.meta.url));
}

/** Text of `test/vectors/<path>`. */
export function vectorText(path: string): string {
  return Deno.readTextFileSync(new URL(`./vectors/${path}`, import.meta.url));
}

/** Parsed `test/vectors/<path>`, of the type the caller knows it to have. */
export function vectorJson<T>(path: string): T {
  return JSON.parse(vectorText(path));
}
