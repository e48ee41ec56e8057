import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import { CatalogWriter } from "../formats/catalog.ts";
import { MemorySink, PxarDecoder, type PxarEntry } from "../formats/pxar/mod.ts";
import { pieces } from "../formats/pxar/testing_vectors.ts";
import { createArchive } from "./create.ts";
import type { CreateOptions, CreateStats } from "./create_types.ts";
import { listArchive } from "./list.ts";

const root = Deno.uid() === 0;

async function withTree(build: (root: string) => void, use: (root: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    build(directory);
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

interface Made {
  archive: Uint8Array;
  payload: Uint8Array;
  log: string[];
  stats: CreateStats;
  paths: string[];
}

type MakeOptions = Partial<CreateOptions> & { split?: boolean; archive?: MemorySink; payload?: MemorySink };

async function make(source: string, options: MakeOptions = {}): Promise<Made> {
  const archive = options.archive ?? new MemorySink(), payload = options.payload ?? new MemorySink();
  const log: string[] = [];
  const { split: _, ...rest } = options;
  const split = options.split || options.payload !== undefined;
  const stats = await createArchive({
    ...rest,
    source,
    archive,
    payload: split ? payload : undefined,
    log: (line) => void log.push(line),
  });
  const paths: string[] = [];
  await listArchive(
    new PxarDecoder(pieces(archive.bytes(), 4096), { metadataOnly: split }),
    (line) => void paths.push(JSON.parse(line)),
  );
  return { archive: archive.bytes(), payload: payload.bytes(), log, stats, paths: paths.slice(1) };
}

async function entryOf({ archive, payload }: Made, name: string): Promise<{ entry: PxarEntry; data: Uint8Array }> {
  const split = payload.length > 0;
  const decoder = new PxarDecoder(pieces(archive, 4096), { payload: split ? pieces(payload, 4096) : undefined });
  for (;;) {
    const event = await decoder.next();
    if (event.type === "end") throw new Error(`no entry ${name}`);
    if (event.type === "entry" && new TextDecoder().decode(event.entry.name) === name) {
      return { entry: event.entry, data: await decoder.data() };
    }
  }
}

function write(root: string, files: Record<string, string>): void {
  for (const [path, content] of Object.entries(files)) {
    const directory = path.slice(0, path.lastIndexOf("/") + 1);
    if (directory) Deno.mkdirSync(`${root}/${directory}`, { recursive: true });
    Deno.writeTextFileSync(`${root}/${path}`, content);
  }
}

Deno.test("CL-70 CL-71 PX-07 patterns of the command line are recorded in the root, in place of a file of that name", async () => {
  await withTree(
    (dir) => write(dir, { "a.txt": "a", "b.log": "b", ".pxarexclude-cli": "own", "d/.pxarexclude-cli": "x" }),
    async (dir) => {
      const made = await make(dir, { excludes: ["*.log", "!keep.log", "tmp/"], skipLostAndFound: true });
      assert.deepEqual(made.paths, ["/a.txt", "/d", "/d/.pxarexclude-cli", "/.pxarexclude-cli"]);
      const { entry, data } = await entryOf({ ...made, archive: made.archive }, ".pxarexclude-cli");
      assert.equal(new TextDecoder().decode(data), "x");
      const last = made.archive.length;
      assert.ok(last > 0 && entry.kind === "file");
      const split = await make(dir, { excludes: ["*.log", "!keep.log", "tmp/"], split: true });
      assert.deepEqual(split.paths, ["/a.txt", "/d", "/d/.pxarexclude-cli"]);
      const first = await new PxarDecoder(pieces(split.archive, 100), { metadataOnly: true }).next();
      assert.equal(first.type, "prelude");
      const content = first.type === "prelude" ? new TextDecoder().decode(first.content) : "";
      assert.equal(content, JSON.stringify({ "exclude-patterns": "*.log\n!keep.log\ntmp/\n" }));
      assert.deepEqual((await make(dir)).paths, ["/a.txt", "/b.log", "/d", "/d/.pxarexclude-cli"]);
    },
  );
});

Deno.test("PX-05 a later pattern takes back what an earlier one excluded, and only then", async () => {
  await withTree((dir) => write(dir, { "x.txt": "", "folder/file.txt": "", "folder/other.txt": "" }), async (dir) => {
    const kept = await make(dir, { excludes: ["**/*.txt", "!/folder/file.txt"] });
    assert.deepEqual(kept.paths, ["/folder", "/folder/file.txt", "/.pxarexclude-cli"]);
    const dropped = await make(dir, { excludes: ["!/folder/file.txt", "**/*.txt"] });
    assert.deepEqual(dropped.paths, ["/folder", "/.pxarexclude-cli"]);
  });
});

Deno.test("CL-60 CL-63 CL-64 CL-68 PX-06 a .pxarexclude file holds for its directory and below, not for its siblings", async () => {
  const files = {
    "a/.pxarexclude": "# comment\n*.tmp\n/only-here\n!keep.tmp\n[\n",
    "a/x.tmp": "",
    "a/keep.tmp": "",
    "a/only-here": "",
    "a/sub/only-here": "",
    "a/sub/y.tmp": "",
    "b/x.tmp": "",
    "b/only-here": "",
  };
  await withTree((dir) => write(dir, files), async (dir) => {
    const { paths, log } = await make(dir);
    const expected = ["/a", "/a/.pxarexclude", "/a/keep.tmp", "/a/sub", "/a/sub/only-here"];
    assert.deepEqual(paths, [...expected, "/b", "/b/only-here", "/b/x.tmp"]);
    assert.equal(log.length, 1);
    assert.match(log[0], /\/a\/\.pxarexclude/);
  });
});

/** A sink that runs `disturb` once, when the first file's content is about to be read. */
function disturbed(disturb: () => void): MemorySink {
  const sink = new MemorySink();
  const reserve = sink.reserve.bind(sink);
  let done = false;
  sink.reserve = (max) => {
    if (!done) disturb();
    done = true;
    return reserve(max);
  };
  return sink;
}

for (const size of [1000, 3_000_000]) {
  for (const split of [false, true]) {
    const sinks = (disturb: () => void): MakeOptions => {
      const sink = disturbed(disturb);
      return split ? { payload: sink } : { archive: sink };
    };
    const what = `${size} bytes in a ${split ? "split " : ""}archive`;

    Deno.test(`CL-57 a file that grows while it is read keeps the size it had, with a warning: ${what}`, async () => {
      await withTree((dir) => write(dir, { one: "1".repeat(size), two: "2" }), async (dir) => {
        const made = await make(dir, sinks(() => Deno.writeTextFileSync(`${dir}/one`, "more", { append: true })));
        assert.equal(new TextDecoder().decode((await entryOf(made, "one")).data), "1".repeat(size));
        assert.equal((await entryOf(made, "two")).entry.size, 1);
        assert.match(made.log.join(), /^file "\/one" grew while it was read/);
      });
    });

    Deno.test(`CL-57 a file that shrinks while it is read is filled up with zeros, with a warning: ${what}`, async () => {
      await withTree((dir) => write(dir, { one: "1".repeat(size), two: "2" }), async (dir) => {
        const made = await make(dir, sinks(() => Deno.truncateSync(`${dir}/one`, 10)));
        const { data } = await entryOf(made, "one");
        assert.equal(new TextDecoder().decode(data), "1".repeat(10) + "\0".repeat(size - 10));
        assert.equal((await entryOf(made, "two")).entry.size, 1);
        assert.match(made.log.join(), /^file "\/one" shrank while it was read/);
      });
    });

    Deno.test(`CL-57 a file that vanishes or turns into something else is left out with a warning: ${what}`, async () => {
      await withTree((dir) => write(dir, { one: "1".repeat(size), three: "3", two: "2" }), async (dir) => {
        const made = await make(
          dir,
          sinks(() => {
            Deno.removeSync(`${dir}/two`);
            Deno.removeSync(`${dir}/three`);
            Deno.symlinkSync("one", `${dir}/three`);
          }),
        );
        assert.deepEqual(made.paths, ["/one"]);
        assert.deepEqual(made.log, ['skipped "/three": was replaced', 'skipped "/two": vanished']);
        assert.equal(made.stats.warnings, 2);
      });
    });
  }
}

Deno.test("CL-50 more directory entries than allowed on one path is an error that names the limit", async () => {
  const files = { "a/1": "", "a/2": "", "b/1": "", "b/2": "" };
  await withTree((dir) => write(dir, files), async (dir) => {
    assert.equal((await make(dir, { entriesMax: 4 })).paths.length, 6);
    await assert.rejects(make(dir, { entriesMax: 3 }), (error: Error) => {
      assert.ok(error instanceof DozoError);
      assert.match(error.message, /--entries-max/);
      return true;
    });
  });
});

Deno.test("CL-44 a virtual file system is refused as a source and stored empty below one", async () => {
  await assert.rejects(make("/proc"), /virtual file system/);
  await assert.rejects(make("/dev/null"), /cannot open the source directory/);
});

Deno.test({
  name: "CL-43 PX-03 mount points are stored empty with a message unless their device is asked for",
  ignore: !root,
  async fn() {
    // A private mount namespace: nothing outside of this test sees the mount.
    await withTree((dir) => write(dir, { "mnt/hidden": "", "file": "" }), async (dir) => {
      const script = new URL("./testing_mount.ts", import.meta.url).pathname;
      const inner = `mount -t tmpfs none "$1/mnt" && : > "$1/mnt/inside" && exec "$2" run -A --quiet "$3" "$1"`;
      const { code, stdout, stderr } = await new Deno.Command("unshare", {
        args: ["-m", "sh", "-c", inner, "sh", dir, Deno.execPath(), script],
      }).output();
      assert.equal(code, 0, new TextDecoder().decode(stderr));
      const [plain, all, included] = JSON.parse(new TextDecoder().decode(stdout));
      assert.deepEqual(plain.paths, ['"/"', '"/file"', '"/mnt"']);
      assert.match(plain.log[0], /mount point "\/mnt"/);
      assert.deepEqual(all.paths, ['"/"', '"/file"', '"/mnt"', '"/mnt/inside"']);
      assert.deepEqual(included.paths, all.paths);
    });
  },
});

Deno.test("the catalog gets every entry in archive order", async () => {
  await withTree((dir) => {
    write(dir, { "a.txt": "hello", "sub/b": "x" });
    Deno.linkSync(`${dir}/a.txt`, `${dir}/hard`);
    Deno.symlinkSync("a.txt", `${dir}/link`);
  }, async (dir) => {
    const calls: string[] = [];
    const text = (name: Uint8Array | string) => typeof name === "string" ? name : new TextDecoder().decode(name);
    const catalog = new class extends CatalogWriter {
      constructor() {
        super(() => {});
      }
      override startDirectory(name: Uint8Array | string) {
        calls.push(`start ${text(name)}`);
      }
      override endDirectory() {
        calls.push("end");
      }
      override addFile(name: Uint8Array | string, size: number) {
        calls.push(`f ${text(name)} ${size}`);
      }
      override addEntry(type: string, name: Uint8Array | string) {
        calls.push(`${type} ${text(name)}`);
      }
    }();
    const { stats } = await make(dir, { catalog, excludes: ["nothing"] });
    assert.deepEqual(calls, [
      "f a.txt 5",
      "h hard",
      "l link",
      "start sub",
      "f b 1",
      "end",
      "f .pxarexclude-cli 8",
    ]);
    assert.deepEqual([stats.files, stats.hardlinks, stats.directories], [3, 1, 2]);
  });
});

Deno.test("an aborted run rejects and leaves no file open", async () => {
  const files = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d${i % 30}/f${i}`, "x".repeat(2000)]));
  await withTree((dir) => write(dir, files), async (dir) => {
    const before = [...Deno.readDirSync("/proc/self/fd")].length;
    const abort = new AbortController();
    abort.abort(new DozoError("stopped"));
    await assert.rejects(make(dir, { signal: abort.signal }), /stopped/);
    assert.ok([...Deno.readDirSync("/proc/self/fd")].length <= before + 1);
  });
});
