import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import { MemorySink, type Metadata, PxarDecoder, PxarEncoder } from "../formats/pxar/mod.ts";
import { pieces } from "../formats/pxar/testing_vectors.ts";
import { lstat } from "../native/fs.ts";
import { extractArchive } from "./extract.ts";
import type { ExtractOptions } from "./extract_types.ts";

const text = new TextEncoder();
const own = { uid: Deno.uid() as number, gid: Deno.gid() as number };
const meta = (mode: number, mtimeSec: number): Metadata => ({ mode, flags: 0, ...own, mtimeSec, mtimeNsec: 123 });

const DIRECTORIES = 5;
const FILES = 300;
const sizeOf = (d: number, f: number) => (d * 7919 + f * 104729) % 9000 + (f % 50 === 0 ? 140_000 : 0);
const contentOf = (d: number, f: number) => new Uint8Array(sizeOf(d, f)).fill(f % 40 === 7 ? 0 : 1 + (d + f) % 250);

/** Directories of small, some larger and some all-zero files, with a hardlink behind each 100 files. */
function manyFiles(): Uint8Array {
  const sink = new MemorySink();
  const encoder = new PxarEncoder(sink);
  encoder.root(meta(0o40755, 1000));
  for (let d = 0; d < DIRECTORIES; d++) {
    encoder.enter(text.encode(`d${d}`), meta(0o40500, 2000 + d));
    for (let f = 0; f < FILES; f++) {
      const at = encoder.position;
      const data = contentOf(d, f);
      encoder.file(text.encode(`f${f}`), meta(0o100000 | (f % 0o1000), 3000 + f), data.length);
      encoder.dataSink.write(data);
      if (f % 100 === 99) encoder.hardlink(text.encode(`h${f}`), text.encode(`d${d}/f${f}`), at);
    }
    encoder.leave();
  }
  encoder.finish();
  return sink.bytes();
}

async function withTarget(use: (target: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    await use(`${directory}/target`);
  } finally {
    await new Deno.Command("chmod", { args: ["-R", "u+rwx", directory] }).output();
    await Deno.remove(directory, { recursive: true });
  }
}

const archive = manyFiles();
const extract = (options: ExtractOptions, size = 100_000) =>
  extractArchive(new PxarDecoder(pieces(archive, size)), options);
/** Open files and directories; the descriptors of an ended thread's event loop go a little later. */
function openFiles(): number {
  return [...Deno.readDirSync("/proc/self/fd")].filter(({ name }) => {
    try {
      return Deno.readLinkSync(`/proc/self/fd/${name}`).startsWith("/tmp/");
    } catch {
      return false;
    }
  }).length;
}

Deno.test("many small files, created by another thread, have content and attributes; so have their directories", async () => {
  for (const size of [1000, 3_000_000]) {
    const before = openFiles();
    await withTarget(async (target) => {
      const log: string[] = [];
      const stats = await extract({ target, log: (line) => void log.push(line) }, size);
      assert.deepEqual(log, []);
      assert.deepEqual([stats.files, stats.directories, stats.errors], [DIRECTORIES * FILES, DIRECTORIES + 1, 0]);
      let bytes = 0;
      for (let d = 0; d < DIRECTORIES; d++) {
        const directory = lstat(`${target}/d${d}`);
        assert.deepEqual([directory.mode & 0o7777, directory.mtimeSec, directory.mtimeNsec], [0o500, 2000 + d, 123]);
        for (let f = 0; f < FILES; f++) {
          const { mode, mtimeSec, mtimeNsec, nlink } = lstat(`${target}/d${d}/f${f}`);
          assert.deepEqual([mode & 0o7777, mtimeSec, mtimeNsec], [f % 0o1000, 3000 + f, 123]);
          assert.equal(nlink, f % 100 === 99 ? 2 : 1);
          bytes += sizeOf(d, f);
          if (f % 10 !== 7) continue;
          Deno.chmodSync(`${target}/d${d}/f${f}`, 0o600);
          assert.deepEqual(Deno.readFileSync(`${target}/d${d}/f${f}`), contentOf(d, f));
        }
      }
      assert.equal(stats.bytes, bytes);
      assert.equal(lstat(target).mtimeSec, 1000);
    });
    assert.ok(openFiles() <= before, "no descriptor is left open");
  }
});

Deno.test("PX-13 a file that another thread cannot create is reported with its path", async () => {
  await withTarget(async (target) => {
    Deno.mkdirSync(`${target}/d3`, { recursive: true });
    Deno.writeTextFileSync(`${target}/d3/f123`, "mine");
    Deno.symlinkSync(`${target}/outside`, `${target}/d3/f150`);
    const log: string[] = [];
    const stats = await extract({ target, allowExistingDirs: true, log: (line) => void log.push(line) });
    assert.deepEqual(log.sort().map((line) => line.slice(0, 25)), [
      'error at "/d3/f123": cann',
      'error at "/d3/f150": cann',
    ]);
    assert.match(log[0], /File exists \(EEXIST\)/);
    assert.equal(stats.errors, 2);
    assert.equal(Deno.readTextFileSync(`${target}/d3/f123`), "mine");
    assert.throws(() => Deno.lstatSync(`${target}/outside`));
    assert.equal(lstat(`${target}/d4/f299`).size, sizeOf(4, 299));
  });
});

Deno.test("PX-13 with --strict the first such file ends the extraction, and no descriptor is left open", async () => {
  const before = openFiles();
  await withTarget(async (target) => {
    Deno.mkdirSync(`${target}/d2`, { recursive: true });
    Deno.writeTextFileSync(`${target}/d2/f5`, "mine");
    const run = extract({ target, allowExistingDirs: true, strict: true });
    await assert.rejects(run, (error: Error) => error instanceof DozoError && /"\/d2\/f5"/.test(error.message));
  });
  assert.ok(openFiles() <= before);
});

Deno.test("a truncated archive of many small files ends in an error, and no descriptor is left open", async () => {
  const before = openFiles();
  await withTarget(async (target) => {
    const decoder = new PxarDecoder(pieces(archive.subarray(0, archive.length - 2_000_000), 70_000));
    await assert.rejects(extractArchive(decoder, { target }), /truncated/);
  });
  assert.ok(openFiles() <= before);
});
