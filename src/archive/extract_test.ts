import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import {
  MemorySink,
  memorySource,
  type Metadata,
  PxarAccessor,
  PxarDecoder,
  PxarEncoder,
} from "../formats/pxar/mod.ts";
import { pieces } from "../formats/pxar/testing_vectors.ts";
import { close, getFlags, lstat, open, OpenFlag, setFlags } from "../native/fs.ts";
import { extractArchive, extractMatching } from "./extract.ts";
import type { ExtractOptions } from "./extract_types.ts";
import { DEFAULT_FEATURES, EntryFlag } from "./features.ts";

const root = Deno.uid() === 0;
const text = new TextEncoder();
const own = { uid: Deno.uid() as number, gid: Deno.gid() as number };
const meta = (mode: number, more: Partial<Metadata> = {}): Metadata => ({
  mode,
  flags: 0,
  ...own,
  mtimeSec: 1700000000,
  mtimeNsec: 5,
  ...more,
});

/** An archive of whatever `fill` writes into its root. */
function archiveOf(fill: (add: PxarEncoder) => void, rootMode = 0o40755): Uint8Array {
  const sink = new MemorySink();
  const encoder = new PxarEncoder(sink);
  encoder.root(meta(rootMode));
  fill(encoder);
  encoder.finish();
  return sink.bytes();
}

function file(encoder: PxarEncoder, name: string, content: string | Uint8Array, more: Partial<Metadata> = {}): void {
  const data = typeof content === "string" ? text.encode(content) : content;
  encoder.file(text.encode(name), meta(0o100644, more), data.length);
  encoder.dataSink.write(data);
}

async function withTarget(use: (target: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(`${directory}/target`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const extract = (archive: Uint8Array, options: ExtractOptions, size = 1 << 20) =>
  extractArchive(new PxarDecoder(pieces(archive, size)), options);

Deno.test("restored files have holes where whole blocks were zero, and their full size", async () => {
  const data = new Uint8Array(3_000_000);
  data.fill(1, 1_000_000, 1_004_000);
  data.fill(2, 1_500_000, 2_000_000);
  const archive = archiveOf((encoder) => {
    file(encoder, "sparse", data);
    file(encoder, "zeros", new Uint8Array(1_000_001));
    file(encoder, "empty", "");
  });
  for (const size of [1000, 4096, 70_000, 1 << 22]) {
    await withTarget(async (target) => {
      await extract(archive, { target }, size);
      assert.deepEqual(Deno.readFileSync(`${target}/sparse`), data);
      assert.deepEqual(Deno.readFileSync(`${target}/zeros`), new Uint8Array(1_000_001));
      assert.equal(lstat(`${target}/empty`).size, 0);
      // Pieces shorter than a block are written as they come.
      if (size >= 70_000) assert.ok(lstat(`${target}/sparse`).blocks * 512 < 800_000);
    });
  }
});

Deno.test("large files are written whole although several threads write them", async () => {
  const data = new Uint8Array(20_000_000).map((_, i) => i % 251);
  const archive = archiveOf((encoder) => {
    file(encoder, "a", data);
    file(encoder, "b", data.subarray(0, 300_000));
  });
  await withTarget(async (target) => {
    const stats = await extract(archive, { target }, 1_234_567);
    assert.deepEqual([stats.files, stats.bytes], [2, 20_300_000]);
    assert.deepEqual(Deno.readFileSync(`${target}/a`), data);
    assert.deepEqual(Deno.readFileSync(`${target}/b`), data.subarray(0, 300_000));
    assert.equal(lstat(`${target}/a`).mtimeSec, 1700000000);
    assert.equal(lstat(`${target}/a`).mtimeNsec, 5);
  });
});

Deno.test("PX-13 files, symlinks and hardlinks are replaced only where each is allowed", async () => {
  const archive = archiveOf((encoder) => {
    const first = encoder.position;
    file(encoder, "file", "new");
    encoder.hardlink(text.encode("hard"), text.encode("file"), first);
    encoder.symlink(text.encode("soft"), meta(0o120777), text.encode("file"));
  });
  const cases: [Partial<ExtractOptions>, string[]][] = [
    [{}, ["file", "hard", "soft"]],
    [{ overwriteFiles: true }, ["hard", "soft"]],
    [{ overwriteSymlinks: true }, ["file", "hard"]],
    [{ overwriteHardlinks: true }, ["file", "soft"]],
    [{ overwriteFiles: true, overwriteHardlinks: true, overwriteSymlinks: true }, []],
  ];
  for (const [options, failing] of cases) {
    await withTarget(async (target) => {
      Deno.mkdirSync(target);
      for (const name of ["file", "hard", "soft"]) Deno.writeTextFileSync(`${target}/${name}`, "old");
      const log: string[] = [];
      const stats = await extract(archive, { target, log: (line) => void log.push(line), ...options });
      assert.deepEqual(log.map((line) => /error at "\/(\w+)"/.exec(line)?.[1]), failing);
      assert.equal(stats.errors, failing.length);
      assert.equal(Deno.readTextFileSync(`${target}/file`), options.overwriteFiles ? "new" : "old");
      assert.equal(Deno.lstatSync(`${target}/soft`).isSymlink, options.overwriteSymlinks === true);
    });
  }
});

Deno.test("PX-16 overwriting a file leaves its other names outside of the target alone", async () => {
  await withTarget(async (target) => {
    Deno.mkdirSync(target);
    Deno.writeTextFileSync(`${target}-outside`, "precious");
    Deno.linkSync(`${target}-outside`, `${target}/file`);
    await extract(archiveOf((encoder) => file(encoder, "file", "new")), { target, overwriteFiles: true });
    assert.equal(Deno.readTextFileSync(`${target}-outside`), "precious");
    assert.equal(Deno.readTextFileSync(`${target}/file`), "new");
  });
});

Deno.test("PX-16 a directory of the target that is a link is not followed", async () => {
  const archive = archiveOf((encoder) => {
    encoder.enter(text.encode("d"), meta(0o40755));
    file(encoder, "inside", "x");
    encoder.leave();
  });
  await withTarget(async (target) => {
    Deno.mkdirSync(target);
    Deno.mkdirSync(`${target}-elsewhere`);
    Deno.symlinkSync(`${target}-elsewhere`, `${target}/d`);
    for (const allowExistingDirs of [false, true]) {
      const log: string[] = [];
      const stats = await extract(archive, { target, allowExistingDirs, log: (line) => void log.push(line) });
      assert.equal(stats.errors, 2, log.join("\n"));
      assert.deepEqual([...Deno.readDirSync(`${target}-elsewhere`)], []);
    }
    const accessor = new PxarAccessor(memorySource(archive));
    const stats = await extractMatching(accessor, { target, allowExistingDirs: true });
    assert.equal(stats.errors, 2);
    assert.deepEqual([...Deno.readDirSync(`${target}-elsewhere`)], []);
  });
});

Deno.test("PX-13 existing directories need leave; then they get the archive's attributes", async () => {
  const archive = archiveOf((encoder) => {
    encoder.enter(text.encode("d"), meta(0o40711));
    file(encoder, "inside", "x");
    encoder.leave();
  });
  await withTarget(async (target) => {
    Deno.mkdirSync(`${target}/d`, { recursive: true });
    assert.equal((await extract(archive, { target })).errors, 2);
    assert.equal((await extract(archive, { target, allowExistingDirs: true })).errors, 0);
    assert.equal(lstat(`${target}/d`).mode & 0o7777, 0o711);
    assert.equal(lstat(`${target}/d`).mtimeSec, 1700000000);
  });
});

Deno.test("PX-13 the prelude goes to its own file on request", async () => {
  const archive = new MemorySink(), payload = new MemorySink();
  const encoder = new PxarEncoder(archive, { payload, prelude: text.encode("{}") });
  encoder.root(meta(0o40755));
  encoder.finish();
  await withTarget(async (target) => {
    const decoder = new PxarDecoder(pieces(archive.bytes(), 100), { payload: pieces(payload.bytes(), 100) });
    await extractArchive(decoder, { target, preludeTarget: `${target}-prelude` });
    assert.equal(Deno.readTextFileSync(`${target}-prelude`), "{}");
    const accessor = new PxarAccessor(memorySource(archive.bytes()), memorySource(payload.bytes()));
    await extractMatching(accessor, { target: `${target}2`, preludeTarget: `${target}-prelude2` });
    assert.equal(Deno.readTextFileSync(`${target}-prelude2`), "{}");
    await Deno.remove(`${target}2`);
  });
});

Deno.test("PX-12 what was switched off is not restored", async () => {
  const archive = archiveOf((encoder) => {
    file(encoder, "file", "x", { mode: 0o100777, xattrs: [{ name: text.encode("user.a"), value: text.encode("b") }] });
    encoder.special(text.encode("fifo"), meta(0o10644));
    encoder.special(text.encode("sock"), meta(0o140755));
    encoder.symlink(text.encode("soft"), meta(0o120777), text.encode("x"));
  });
  await withTarget(async (target) => {
    const features = { ...DEFAULT_FEATURES, fifos: false, sockets: false, symlinks: false, permissions: false };
    await extract(archive, { target, features });
    assert.deepEqual([...Deno.readDirSync(target)].map((entry) => entry.name), ["file"]);
    assert.equal(lstat(`${target}/file`).mode & 0o7777, 0o600);
  });
});

Deno.test({
  name: "the immutable flag is set after everything else",
  ignore: !root,
  async fn() {
    const archive = archiveOf((encoder) => file(encoder, "fixed", "content", { flags: EntryFlag.Immutable, uid: 7 }));
    await withTarget(async (target) => {
      const log: string[] = [];
      await extract(archive, { target, log: (line) => void log.push(line) });
      assert.deepEqual(log, []);
      const fd = open(`${target}/fixed`, OpenFlag.READ);
      const flags = getFlags(fd);
      // A file system without these flags takes the file all the same.
      if (flags !== null) {
        assert.equal(flags & 0x10, 0x10);
        setFlags(fd, flags & ~0x10);
      }
      close(fd);
      const { uid, mtimeSec } = lstat(`${target}/fixed`);
      assert.deepEqual([uid, mtimeSec], [7, 1700000000]);
    });
  },
});

Deno.test("a truncated archive is an error that names the place; complete files stay", async () => {
  const archive = archiveOf((encoder) => {
    file(encoder, "a", "aaaa");
    file(encoder, "b", "b".repeat(5000));
  });
  await withTarget(async (target) => {
    const log: string[] = [];
    const run = extract(archive.subarray(0, 3000), { target, log: (line) => void log.push(line) });
    await assert.rejects(
      run,
      (error: Error) => error instanceof DozoError && /truncated.*offset 3000/.test(error.message),
    );
    assert.equal(Deno.readTextFileSync(`${target}/a`), "aaaa");
  });
});

Deno.test("an aborted extraction rejects and closes its files", async () => {
  const archive = archiveOf((encoder) => {
    for (let i = 0; i < 5000; i++) file(encoder, `f${i}`, "x".repeat(100));
  });
  const before = [...Deno.readDirSync("/proc/self/fd")].length;
  await withTarget(async (target) => {
    const abort = new AbortController();
    abort.abort(new DozoError("stopped"));
    await assert.rejects(extract(archive, { target, signal: abort.signal }), /stopped/);
  });
  assert.ok([...Deno.readDirSync("/proc/self/fd")].length <= before + 1);
});
