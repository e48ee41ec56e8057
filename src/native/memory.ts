/** How the C library treats freed memory. */
import { openLibrary } from "./library.ts";

/** Parameters of `mallopt`. */
const M_TRIM_THRESHOLD = -1;
const M_MMAP_THRESHOLD = -3;
const MIB = 1024 * 1024;

/**
 * Keeps freed buffers of up to 64 MiB for the next ones instead of giving them back to the system at once: fresh pages cost
 * more time than what is done with them. For processes that work through a lot of data and then end. False where the C
 * library has no such setting.
 */
export function keepFreedBuffers(): boolean {
  const libc = openLibrary(["libc.so.6"], { mallopt: { parameters: ["i32", "i32"], result: "i32" } });
  if (!libc) return false;
  return libc.mallopt(M_MMAP_THRESHOLD, 64 * MIB) === 1 && libc.mallopt(M_TRIM_THRESHOLD, 256 * MIB) === 1;
}
