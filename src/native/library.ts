/** Opening system libraries. Each caller has a fallback for the case that the library is missing or turned off. */

/**
 * Symbols of an opened library, typed by its interface. A 64-bit parameter takes a plain number as well: the runtime
 * converts it (exact up to 2⁵³), and making a bigint for each call would cost more than the call.
 */
export type Symbols<S extends Deno.ForeignLibraryInterface> = Widened<Deno.DynamicLibrary<S>["symbols"]>;

type Widened<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: WidenedArguments<A>) => R : T[K];
};
type WidenedArguments<A extends readonly unknown[]> = { [I in keyof A]: A[I] extends bigint ? number | bigint : A[I] };

/**
 * False when the environment variable `DOZO_NATIVE` is `off`: then libcrypto and libzstd are left alone and the built-in
 * code does the same work. (libc stays: nothing else knows nanosecond times, extended attributes or locks.)
 */
export function nativeWanted(): boolean {
  return Deno.env.get("DOZO_NATIVE") !== "off";
}

/** Opens the first library of `names` that has all `symbols`; null where none has. */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  names: readonly string[],
  symbols: S,
): Symbols<S> | null {
  for (const name of names) {
    try {
      return Deno.dlopen(name, symbols).symbols as Symbols<S>;
    } catch {
      continue;
    }
  }
  return null;
}

/** The value of `make`, made at the first call and kept: programs that never need a library do not pay for opening it. */
export function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/**
 * The same bytes with the type that foreign calls want. A view on shared memory has no place there: it throws.
 */
export function ffiBytes(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  if (bytes.buffer instanceof ArrayBuffer) return bytes as Uint8Array<ArrayBuffer>;
  throw new TypeError("shared memory cannot be handed to a system library");
}

/**
 * A zeroed array whose bytes lie outside the script heap and thus never move, also below 64 bytes: what a call that runs
 * on another thread writes to.
 */
export function fixedBytes(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(new ArrayBuffer(length));
}

const inUse = new Set<readonly unknown[]>();

/**
 * Result of a nonblocking call, with `buffers` held until it has ended: the runtime itself lets memory be collected and
 * used again while another thread still works on it.
 */
export async function holding<T>(call: Promise<T>, ...buffers: readonly unknown[]): Promise<T> {
  inUse.add(buffers);
  try {
    return await call;
  } finally {
    inUse.delete(buffers);
  }
}
