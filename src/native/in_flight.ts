/** Bounds on what runs on other threads at the same time. */
import { Semaphore } from "../base/concurrency.ts";

/** Data of at least this many bytes is worth another thread (handing over costs about 20 µs). */
export const ASYNC_THRESHOLD = 64 * 1024;

/** Hashing, compression and encryption: one call per core, and one that is ready to follow. */
export const computeSlots = new Semaphore(navigator.hardwareConcurrency + 1);

/** Reads, writes and syncs, which wait for disks and must not keep computation out. */
export const ioSlots = new Semaphore(8);
