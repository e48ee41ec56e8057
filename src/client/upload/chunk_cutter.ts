/**
 * Collects a byte stream in pooled buffers and cuts it into chunks. Bytes are read straight into the buffer of the
 * chunk they belong to; only what lies behind a cut is moved to the next buffer.
 */
import type { StreamChunker } from "../../formats/chunker.ts";
import { FixedChunker } from "../../formats/fixed_chunker.ts";
import type { Injection } from "../../formats/injecting_chunker.ts";
import type { BufferPool } from "./buffer_pool.ts";

/** Decides where the chunk at `buffer[start, filled)` ends: the shape of `InjectingChunker`. */
export interface Cutter<T> {
  readonly maximum: number;
  /** Most bytes to take at a time, where the place of the cut is known before. */
  readonly reserve?: number;
  step(buffer: Uint8Array, start: number, filled: number): { end: number; injection?: Injection<T> } | undefined;
  finish(): void;
}

/** A chunker without forced boundaries, in the shape of one that has them. */
export function plainCutter(chunker: StreamChunker): Cutter<never> {
  return {
    maximum: chunker.maximum,
    reserve: chunker instanceof FixedChunker ? chunker.maximum : undefined,
    step(buffer, start, filled) {
      const end = chunker.scan(buffer, start + chunker.scanned, filled);
      return end > 0 ? { end } : undefined;
    },
    finish: () => {},
  };
}

/** What comes out: chunks that own their pooled buffer, and reused ones. Called in stream order. */
export interface CutterOutput<T> {
  /** `buffer[0, length)` is a chunk; give `buffer` back to the pool when it is no longer needed. */
  chunk(buffer: Uint8Array<ArrayBuffer>, length: number): void;
  injected(injection: Injection<T>): void;
}

/** Unscanned bytes that are worth a call of the chunker. */
const SCAN_BLOCK = 256 * 1024;
/** Most bytes handed out at a time: a cut moves at most this much to the next buffer. */
const RESERVE_LIMIT = 1 << 20;

/** The stream's current chunk and the buffer that it grows in. */
export class ChunkCutter<T> {
  readonly #cutter: Cutter<T>;
  readonly #output: CutterOutput<T>;
  readonly #pool: BufferPool;
  readonly #initialSize: number;
  readonly #reserveLimit: number;
  #buffer: Uint8Array<ArrayBuffer>;
  #filled = 0;
  #unscanned = 0;
  #ended = false;

  /** `initialSize`: first guess for a chunk's size; buffers double up to the chunker's maximum. */
  constructor(cutter: Cutter<T>, output: CutterOutput<T>, pool: BufferPool, initialSize: number) {
    this.#cutter = cutter;
    this.#output = output;
    this.#pool = pool;
    this.#reserveLimit = cutter.reserve ?? Math.min(RESERVE_LIMIT, cutter.maximum);
    this.#initialSize = Math.min(initialSize, cutter.maximum);
    this.#buffer = pool.take(this.#initialSize);
  }

  /** Memory for the next bytes, 1 … `max` long. */
  reserve(max: number): Uint8Array<ArrayBuffer> {
    const wanted = Math.min(max, this.#reserveLimit);
    this.#makeRoom(Math.min(wanted, SCAN_BLOCK));
    return this.#buffer.subarray(this.#filled, Math.min(this.#buffer.length, this.#filled + wanted));
  }

  /** Takes over `count` bytes of the memory last reserved. */
  commit(count: number): void {
    this.#filled += count;
    this.#unscanned += count;
    if (this.#unscanned >= SCAN_BLOCK) this.scan();
  }

  /** Appends a copy of `bytes`. */
  write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const room = this.reserve(bytes.length - at);
      const part = bytes.length - at <= room.length
        ? (at === 0 ? bytes : bytes.subarray(at))
        : bytes.subarray(at, at + room.length);
      room.set(part);
      at += part.length;
      this.commit(part.length);
    }
  }

  /** Lets the chunker see everything so far: to be called before a forced boundary's successor bytes arrive. */
  scan(): void {
    this.#unscanned = 0;
    for (let step = this.#step(); step; step = this.#step()) {
      if (step.end > 0) this.#cut(step.end);
      if (step.injection) this.#output.injected(step.injection);
    }
  }

  /** Ends the stream: the rest is the last chunk. */
  finish(): void {
    this.scan();
    this.#cutter.finish();
    this.#ended = true;
    if (this.#filled > 0) this.#output.chunk(this.#buffer, this.#filled);
    else this.#pool.give(this.#buffer);
    this.#filled = 0;
  }

  /** Ends the stream without its last bytes. */
  discard(): void {
    if (!this.#ended) this.#pool.give(this.#buffer);
    this.#ended = true;
  }

  #step() {
    return this.#cutter.step(this.#buffer, 0, this.#filled);
  }

  #cut(end: number): void {
    const rest = this.#filled - end;
    const next = this.#pool.take(Math.max(this.#initialSize, rest));
    next.set(this.#buffer.subarray(end, this.#filled));
    this.#output.chunk(this.#buffer, end);
    this.#buffer = next;
    this.#filled = rest;
  }

  #makeRoom(wanted: number): void {
    if (this.#buffer.length - this.#filled >= wanted) return;
    if (this.#unscanned > 0) this.scan();
    // A scanned chunk is shorter than the maximum, so a buffer of that size always has room.
    const { maximum } = this.#cutter;
    const needed = Math.min(this.#filled + wanted, maximum);
    if (this.#buffer.length >= needed) return;
    const larger = this.#pool.take(Math.min(Math.max(this.#buffer.length * 2, needed), maximum));
    larger.set(this.#buffer.subarray(0, this.#filled));
    this.#pool.give(this.#buffer);
    this.#buffer = larger;
  }
}
