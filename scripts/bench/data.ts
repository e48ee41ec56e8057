/** The benchmark's data: always the same bytes for the same scale. */
import { type Cipheriv, createCipheriv } from "node:crypto";

const FILES = 20_000;
const TREE_BYTES = 2 ** 30;
const IMAGE_BYTES = 2 ** 31;
const MIB = 2 ** 20;

/** A source of repeatable bytes: random ones, and text of random words. */
class Bytes {
  readonly #random: Cipheriv;
  #state: number;

  constructor(seed: number) {
    const key = new Uint8Array(16);
    new DataView(key.buffer).setUint32(0, seed, true);
    this.#random = createCipheriv("aes-128-ctr", key, new Uint8Array(16));
    this.#state = seed || 1;
  }

  /** A number from 0 (included) to 1. */
  next(): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return this.#state / 2 ** 32;
  }

  /** Bytes that no compressor makes smaller. */
  random(length: number): Uint8Array {
    return this.#random.update(new Uint8Array(length));
  }

  /** Lines of words and numbers: about a third of their size when compressed. */
  text(length: number): Uint8Array {
    const parts: string[] = [];
    for (let size = 0; size < length;) {
      const part = this.next() < 0.15
        ? `${Math.floor(this.next() * 1e9)}\n`
        : `${WORDS[Math.floor(this.next() * this.next() * WORDS.length)]} `;
      parts.push(part);
      size += part.length;
    }
    return new TextEncoder().encode(parts.join("").slice(0, length));
  }
}

const WORDS = (() => {
  const source = { state: 7 };
  const letter = () => {
    source.state = (Math.imul(source.state, 1664525) + 1013904223) >>> 0;
    return "etaoinshrdlucmfwypvbgkqjxz"[Math.floor((source.state / 2 ** 32) ** 2 * 26)];
  };
  return Array.from({ length: 4000 }, (_, i) => Array.from({ length: 2 + i % 9 }, letter).join(""));
})();

/** Makes the tree below `folder`: 20,000 files, 1 GiB, a third text, a third random, a third of both. Returns its size. */
export async function makeTree(folder: string, scale: number): Promise<number> {
  const bytes = new Bytes(1);
  const count = Math.max(10, Math.round(FILES * scale));
  // Sizes as in real trees: most files small, most bytes in few files.
  const weights = Array.from({ length: count }, () => (1 / (0.002 + bytes.next())) ** 1.2);
  const unit = TREE_BYTES * scale / weights.reduce((sum, weight) => sum + weight, 0);
  let total = 0;
  for (let i = 0; i < count; i++) {
    const size = Math.max(1, Math.round(weights[i] * unit));
    const place = `${folder}/d${Math.floor(i / 400)}/s${Math.floor(i / 40) % 10}`;
    if (i % 40 === 0) await Deno.mkdir(place, { recursive: true });
    using file = await Deno.open(`${place}/file-${i}`, { write: true, create: true, truncate: true });
    for (let at = 0; at < size; at += MIB) {
      const length = Math.min(MIB, size - at);
      const text = i % 3 === 0 || (i % 3 === 1 && (at / MIB + i) % 2 === 0);
      writeAll(file, text ? bytes.text(length) : bytes.random(length));
    }
    total += size;
  }
  return total;
}

/** Paths of every hundredth file of the tree (1 % of the files). */
export function changedFiles(folder: string, scale: number): string[] {
  const count = Math.max(10, Math.round(FILES * scale));
  const paths: string[] = [];
  for (let i = 50; i < count; i += 100) {
    paths.push(`${folder}/d${Math.floor(i / 400)}/s${Math.floor(i / 40) % 10}/file-${i}`);
  }
  return paths.length > 0 ? paths : [`${folder}/d0/s0/file-5`];
}

/** Rewrites the start of each file of {@link changedFiles}, so that its content and its time change. */
export async function changeTree(folder: string, scale: number, round: number): Promise<void> {
  const bytes = new Bytes(1000 + round);
  for (const path of changedFiles(folder, scale)) {
    using file = await Deno.open(path, { write: true });
    writeAll(file, bytes.random(Math.min(4096, (await file.stat()).size)));
  }
}

/** Makes the image: a half random, a quarter text, a quarter zeros, in runs of 8 MiB. Returns its size. */
export async function makeImage(path: string, scale: number): Promise<number> {
  const bytes = new Bytes(2);
  const total = Math.max(32 * MIB, Math.round(IMAGE_BYTES * scale / MIB / 32) * 32 * MIB);
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  for (let at = 0; at < total; at += MIB) {
    const run = Math.floor(at / MIB / 8) % 4;
    writeAll(file, run === 3 ? new Uint8Array(MIB) : run === 1 ? bytes.text(MIB) : bytes.random(MIB));
  }
  return total;
}

function writeAll(file: Deno.FsFile, data: Uint8Array): void {
  for (let at = 0; at < data.length;) at += file.writeSync(data.subarray(at));
}
