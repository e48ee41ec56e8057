/** The part of libzstd that is used, and pools of its contexts. */
import { ContextPool } from "./libcrypto.ts";
import { nativeWanted, once, openLibrary, type Symbols } from "./library.ts";

const SYMBOLS = {
  ZSTD_createCCtx: { parameters: [], result: "pointer" },
  ZSTD_freeCCtx: { parameters: ["pointer"], result: "usize" },
  ZSTD_createDCtx: { parameters: [], result: "pointer" },
  ZSTD_freeDCtx: { parameters: ["pointer"], result: "usize" },
  ZSTD_compressCCtx: {
    parameters: ["pointer", "buffer", "usize", "buffer", "usize", "i32"],
    result: "isize",
  },
  compressNonblocking: {
    name: "ZSTD_compressCCtx",
    parameters: ["pointer", "buffer", "usize", "buffer", "usize", "i32"],
    result: "isize",
    nonblocking: true,
  },
  ZSTD_decompressDCtx: { parameters: ["pointer", "buffer", "usize", "buffer", "usize"], result: "isize" },
  decompressNonblocking: {
    name: "ZSTD_decompressDCtx",
    parameters: ["pointer", "buffer", "usize", "buffer", "usize"],
    result: "isize",
    nonblocking: true,
  },
  decompressStreamNonblocking: {
    name: "ZSTD_decompressStream",
    parameters: ["pointer", "buffer", "buffer"],
    result: "isize",
    nonblocking: true,
  },
} as const;

/** The opened library. Sizes come back as signed numbers: a negative one is an error code of `zstd_errors.h`. */
export interface LibZstd {
  readonly lib: Symbols<typeof SYMBOLS>;
  readonly compressContexts: ContextPool;
  readonly decompressContexts: ContextPool;
}

/** The result of a call when the output buffer is too small. */
export const ZSTD_DST_SIZE_TOO_SMALL = -70;

/** libzstd, or null where it is missing or turned off. */
export const libzstd: () => LibZstd | null = once(() => nativeWanted() ? openLibzstd() : null);

/** Opens libzstd whatever the environment says; for {@link libzstd} and for tests. */
export function openLibzstd(): LibZstd | null {
  const lib = openLibrary(["libzstd.so.1"], SYMBOLS);
  if (lib === null) return null;
  return {
    lib,
    compressContexts: new ContextPool(lib.ZSTD_createCCtx, lib.ZSTD_freeCCtx),
    decompressContexts: new ContextPool(lib.ZSTD_createDCtx, lib.ZSTD_freeDCtx),
  };
}
