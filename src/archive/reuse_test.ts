import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { concatBytes, toHex } from "../base/bytes.ts";
import { sha256Sync } from "../native/crypto.ts";
import { MemorySink, PxarDecoder } from "../formats/pxar/mod.ts";
import { pieces } from "../formats/pxar/testing_vectors.ts";
import { createArchive } from "./create.ts";
import type { CreateStats } from "./create_types.ts";
import type { PreviousArchive, PreviousIndex, ReusedChunk, ReusingSink } from "./reuse_types.ts";

/** An index over `ends`; the digest of a chunk is its number. */
function indexOf(ends: readonly number[]): PreviousIndex {
  return {
    count: ends.length,
    size: ends[ends.length - 1] ?? 0,
    endAt: (i) => ends[i],
    digestAt: (i) => {
      const digest = new Uint8Array(32);
      new DataView(digest.buffer).setUint32(0, i);
      return digest;
    },
    find: (offset) => ends.findIndex((end) => offset < end),
  };
}

/** A payload stream that remembers what was written and what was injected where. */
class SplicedSink extends MemorySink implements ReusingSink {
  readonly injections: { offset: number; raw: number; chunks: readonly ReusedChunk[] }[] = [];
  #injected = 0;

  inject(offset: number, chunks: readonly ReusedChunk[]): void {
    const raw = this.bytes().length;
    assert.equal(offset, raw + this.#injected, "injected where the stream ends");
    this.injections.push({ offset, raw, chunks: [...chunks] });
    for (const chunk of chunks) this.#injected += chunk.size;
  }

  /** Where runs of reused chunks begin, and how many chunks each has. */
  runs(): [number, number][] {
    const runs: [number, number][] = [];
    let raw = -1;
    for (const injection of this.injections) {
      if (injection.raw === raw) runs[runs.length - 1][1] += injection.chunks.length;
      else runs.push([injection.offset, injection.chunks.length]);
      raw = injection.raw;
    }
    return runs;
  }

  /** The index of this stream: what was written is cut into chunks of `size` bytes, digests are those of the content. */
  index(previous: Uint8Array, size: number): PreviousIndex {
    const whole = this.spliced(previous);
    const ends: number[] = [];
    let raw = 0, end = 0;
    const cutTo = (target: number) => {
      for (; raw < target; ends.push(end)) {
        const length = Math.min(size, target - raw);
        raw += length;
        end += length;
      }
    };
    for (const injection of this.injections) {
      cutTo(injection.raw);
      for (const chunk of injection.chunks) ends.push(end += chunk.size);
    }
    cutTo(this.bytes().length);
    const digests = ends.map((end, i) => sha256Sync(whole.subarray(ends[i - 1] ?? 0, end)));
    return { ...indexOf(ends), digestAt: (i) => digests[i] };
  }

  /** The whole stream, with the injected chunks taken from the previous one. */
  spliced(previous: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = [];
    let raw = 0;
    for (const injection of this.injections) {
      parts.push(this.bytes().subarray(raw, raw = injection.raw));
      for (const { size, previousEnd } of injection.chunks) {
        parts.push(previous.subarray(previousEnd - size, previousEnd));
      }
    }
    return concatBytes(...parts, this.bytes().subarray(raw));
  }
}

interface Run {
  meta: Uint8Array;
  payload: SplicedSink;
  stats: CreateStats;
  log: string[];
}

async function run(source: string, previous?: PreviousArchive, cacheLimit?: number): Promise<Run> {
  const archive = new MemorySink(), payload = new SplicedSink();
  const log: string[] = [];
  const stats = await createArchive({
    source,
    archive,
    payload,
    previous,
    cacheLimit,
    log: (line) => void log.push(line),
  });
  return { meta: archive.bytes(), payload, stats, log };
}

/** Payload offset of every file by name. */
async function references(meta: Uint8Array): Promise<Record<string, number>> {
  const decoder = new PxarDecoder(pieces(meta, 4096), { metadataOnly: true });
  const found: Record<string, number> = {};
  for (let event = await decoder.next(); event.type !== "end"; event = await decoder.next()) {
    if (event.type !== "entry" || event.entry.kind !== "file") continue;
    found[new TextDecoder().decode(event.entry.name)] = event.entry.dataOffset - 16;
  }
  return found;
}

async function withTemporary(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const SIZES = { f1: 3000000, f2: 2000000, f3: 4000000, f4: 1000000, f5: 3500000 };

function sized(directory: string, sizes: Record<string, number>): void {
  for (const [name, size] of Object.entries(sizes)) {
    Deno.writeFileSync(`${directory}/${name}`, new Uint8Array(0));
    Deno.truncateSync(`${directory}/${name}`, size);
  }
}

const ENDS = [3000032, 5000048, 9000064, 10000080, 13500112];
const OTHER_ENDS = [2500000, 5200000, 9800000, 13500112];

const EXAMPLES: {
  name: string;
  ends: number[];
  change: (directory: string) => void;
  expected: Record<string, number>;
  /** Chunks injected at each payload offset. */
  injected: [number, number][];
  size: number;
}[] = [
  {
    name: "nothing changed",
    ends: ENDS,
    change: () => {},
    expected: { f1: 32, f2: 3000048, f3: 5000064, f4: 9000080, f5: 10000096 },
    injected: [[16, 5]],
    size: 13500144,
  },
  {
    name: "one file changed, chunks end at files",
    ends: ENDS,
    change: (directory) => sized(directory, { f3: 4100000 }),
    expected: { f1: 32, f2: 3000048, f3: 5000064, f4: 9100080, f5: 10100096 },
    injected: [[16, 2], [9100080, 2]],
    size: 13600144,
  },
  {
    name: "one file changed, chunks end anywhere",
    ends: OTHER_ENDS,
    change: (directory) => sized(directory, { f3: 4100000 }),
    expected: { f1: 32, f2: 3000048, f3: 5200016, f4: 9300032, f5: 10300048 },
    injected: [[16, 2]],
    size: 13800080,
  },
  {
    name: "one file removed, chunks end anywhere",
    ends: OTHER_ENDS,
    change: (directory) => Deno.removeSync(`${directory}/f2`),
    expected: { f1: 16, f3: 3000032, f4: 7000048, f5: 8000064 },
    injected: [],
    size: 11500096,
  },
];

for (const example of EXAMPLES) {
  Deno.test(`change detection, worked example: ${example.name}`, async () => {
    await withTemporary(async (directory) => {
      sized(directory, SIZES);
      const before = await run(directory);
      assert.equal(before.payload.bytes().length, 13500112);
      assert.deepEqual(await references(before.meta), {
        f1: 16,
        f2: 3000032,
        f3: 5000048,
        f4: 9000064,
        f5: 10000080,
      });
      example.change(directory);
      const after = await run(directory, { metadata: pieces(before.meta, 100), index: indexOf(example.ends) });
      assert.deepEqual(after.log, []);
      assert.deepEqual(await references(after.meta), example.expected);
      assert.deepEqual(after.payload.runs(), example.injected);
      assert.equal(after.stats.payloadSize, example.size);
      assert.equal(after.stats.reusedFiles + after.stats.encodedFiles, Object.keys(example.expected).length);
    });
  });
}

Deno.test("padding of exactly a tenth is accepted, above it is not", async () => {
  for (const [size, reused] of [[900 - 16, 1], [899 - 16, 0]]) {
    await withTemporary(async (directory) => {
      sized(directory, { a: size });
      const before = await run(directory);
      const end = 1000;
      // The file's range begins at 16; its only chunk is made to end where the range is nine tenths of it.
      const index = { ...indexOf([16, end + 16]), size: end + 16 };
      const after = await run(directory, { metadata: pieces(before.meta, 100), index });
      assert.equal(after.stats.reusedFiles, reused);
      assert.equal(after.stats.padding, reused ? 100 : 0);
    });
  }
});

Deno.test("files are read again when size, mode, owner, mtime or attributes differ, or the old entry is no file", async () => {
  await withTemporary(async (directory) => {
    const names = ["same", "touched", "mode", "grown", "linked", "was-dir"];
    for (const name of names.slice(0, 5)) Deno.writeFileSync(`${directory}/${name}`, new Uint8Array(20000).fill(7));
    Deno.mkdirSync(`${directory}/was-dir`);
    const before = await run(directory);
    Deno.utimeSync(`${directory}/touched`, 1, 1);
    Deno.chmodSync(`${directory}/mode`, 0o600);
    const { mtime, atime } = Deno.statSync(`${directory}/grown`);
    Deno.writeFileSync(`${directory}/grown`, new Uint8Array(5), { append: true });
    Deno.utimeSync(`${directory}/grown`, atime as Date, mtime as Date);
    Deno.removeSync(`${directory}/was-dir`);
    Deno.writeFileSync(`${directory}/was-dir`, new Uint8Array(20000));
    Deno.removeSync(`${directory}/linked`);
    Deno.linkSync(`${directory}/mode`, `${directory}/linked`);
    const old = before.payload.bytes();
    const ends = Object.values(await references(before.meta)).map((offset) => offset + 20016);
    const index = indexOf([16, ...ends, old.length]);
    const after = await run(directory, { metadata: pieces(before.meta, 100), index });
    assert.equal(after.stats.reusedFiles, 1);
    assert.equal(after.stats.hardlinks, 1);
    assert.equal(after.stats.encodedFiles, 4);
  });
});

Deno.test("a damaged previous archive only costs the reuse", async () => {
  await withTemporary(async (directory) => {
    sized(directory, { a: 100000, b: 100000, c: 100000 });
    const before = await run(directory);
    const broken = before.meta.slice(0, before.meta.length / 2);
    const index = indexOf([16, before.payload.bytes().length]);
    const after = await run(directory, { metadata: pieces(broken, 64), index });
    assert.match(after.log.join(), /previous archive is not usable/);
    assert.equal(after.stats.reusedFiles + after.stats.encodedFiles, 3);
    const garbage = await run(directory, { metadata: pieces(new Uint8Array(100), 64), index });
    assert.equal(garbage.stats.encodedFiles, 3);
  });
});

/** A small deterministic generator, so that a failing round can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

function change(directory: string, random: (below: number) => number): void {
  for (let i = 0; i < 12; i++) {
    const path = `${directory}/d${random(3)}/${random(2) ? "sub/" : ""}f${random(15)}`;
    const kind = random(10);
    if (kind === 0) Deno.removeSync(path, { recursive: false });
    else if (kind === 1) Deno.linkSync(path, `${path}-link${random(100)}`);
    else if (kind < 4) Deno.symlinkSync("x", `${path}-symlink${random(1000)}`);
    else {
      Deno.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      Deno.writeFileSync(path, new Uint8Array(random(3000)).fill(random(256)));
    }
  }
}

/** Every file's content, read through the references, must be what is on disk; references must increase. */
async function check(directory: string, meta: Uint8Array, payload: Uint8Array): Promise<void> {
  const decoder = new PxarDecoder(pieces(meta, 333), { payload: pieces(payload, 777) });
  const path: string[] = [];
  let last = 0;
  for (let event = await decoder.next(); event.type !== "end"; event = await decoder.next()) {
    if (event.type === "leave") path.pop();
    if (event.type !== "entry" || event.entry.offset === 0) continue;
    const { entry } = event;
    const name = new TextDecoder().decode(entry.name);
    if (entry.kind === "directory") path.push(name);
    if (entry.kind !== "file") continue;
    assert.ok(entry.dataOffset > last, "references increase");
    last = entry.dataOffset;
    const disk = new Uint8Array(readFileSync([directory, ...path, name].join("/")));
    assert.deepEqual(await decoder.data(), disk, [...path, name].join("/"));
  }
}

for (const cacheLimit of [1, 5, 512]) {
  Deno.test(`random trees and changes keep every reference right, with ${cacheLimit} files waiting`, async () => {
    const random = generator(7 + cacheLimit);
    await withTemporary(async (directory) => {
      for (let i = 0; i < 8; i++) {
        try {
          change(directory, random);
        } catch {
          continue;
        }
      }
      let previous: { meta: Uint8Array; payload: Uint8Array } | undefined;
      let reused = 0;
      for (let round = 0; round < 12; round++) {
        let archive: PreviousArchive | undefined;
        if (previous) {
          const ends: number[] = [];
          for (let at = 0; at < previous.payload.length;) {
            at = Math.min(previous.payload.length, at + 1 + random(cacheLimit === 1 ? 200 : 6000));
            ends.push(at);
          }
          archive = { metadata: pieces(previous.meta, 500), index: indexOf(ends) };
        }
        const made = await run(directory, archive, cacheLimit);
        const payload = made.payload.spliced(previous?.payload ?? new Uint8Array(0));
        assert.equal(payload.length, made.stats.payloadSize);
        await check(directory, made.meta, payload);
        reused += made.stats.reusedFiles;
        previous = { meta: made.meta.slice(), payload };
        try {
          if (round % 3 !== 0) change(directory, random);
        } catch {
          continue;
        }
      }
      assert.ok(reused > 20, `only ${reused} files were reused`);
    });
  });
}

Deno.test("CL-84 a few scattered changes cost little more than themselves, again and again", async () => {
  await withTemporary(async (directory) => {
    const count = 1000;
    for (let i = 0; i < count; i++) Deno.writeFileSync(`${directory}/f${i}`, new Uint8Array(1000).fill(i % 251));
    let made = await run(directory);
    let payload = made.payload.spliced(new Uint8Array(0));
    let index = made.payload.index(new Uint8Array(0), 40000);
    const random = generator(3);
    for (let round = 0; round < 6; round++) {
      const changed = new Set<string>();
      while (changed.size < 4) changed.add(`${directory}/f${random(count)}`);
      for (const path of changed) Deno.writeFileSync(path, new Uint8Array(1000).fill(round + 100));
      for (const cacheLimit of [37, 512]) {
        const again = await run(directory, { metadata: pieces(made.meta, 500), index }, cacheLimit);
        assert.ok(again.stats.encodedFiles < 130, `${again.stats.encodedFiles} files were read for 4 changed ones`);
        await check(directory, again.meta, again.payload.spliced(payload));
      }
      const next = await run(directory, { metadata: pieces(made.meta, 500), index });
      index = next.payload.index(payload, 40000);
      payload = next.payload.spliced(payload);
      made = next;
    }
    const distinct = new Map<string, number>();
    for (let i = 0; i < index.count; i++) {
      distinct.set(toHex(index.digestAt(i)), index.endAt(i) - (i === 0 ? 0 : index.endAt(i - 1)));
    }
    const stored = [...distinct.values()].reduce((sum, size) => sum + size, 0);
    assert.ok(stored < count * 1016 * 1.12, `${stored} bytes of chunks for ${count * 1016} bytes of files`);
  });
});

Deno.test("CL-84 many tiny changes: chunks of which more than a tenth would be padding are written anew", async () => {
  await withTemporary(async (directory) => {
    for (let i = 0; i < 300; i++) Deno.writeFileSync(`${directory}/f${i}`, new Uint8Array(1000).fill(i));
    const before = await run(directory);
    const index = before.payload.index(new Uint8Array(0), 20000);
    for (let i = 0; i < 300; i += 5) Deno.writeFileSync(`${directory}/f${i}`, new Uint8Array(999));
    const after = await run(directory, { metadata: pieces(before.meta, 500), index });
    assert.equal(after.stats.reusedFiles, 0);
    assert.equal(after.stats.injectedSize, 0);
  });
});
