import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { MemorySink, memorySource, PxarAccessor, PxarDecoder } from "../formats/pxar/mod.ts";
import { jsonVector, pieces, vector } from "../formats/pxar/testing_vectors.ts";
import { close, getFlags, open, OpenFlag, setFlags } from "../native/fs.ts";
import { createArchive } from "./create.ts";
import type { CreateOptions } from "./create_types.ts";
import { extractArchive, extractMatching } from "./extract.ts";
import { DEFAULT_FEATURES } from "./features.ts";
import { listArchive } from "./list.ts";
import { type ListedEntry, listTree } from "./testing_listing.ts";
import { parsePattern } from "../formats/pattern.ts";

/** Owners, devices and trusted attributes can only be restored by root. */
const root = Deno.uid() === 0;
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface SmallArchive {
  name: string;
  command: string;
  archive: { file: string; sha256: string };
  payload?: { file: string; sha256: string };
  pxar_list: string[];
  extracted: ListedEntry[];
}

interface Vector {
  archive: string;
  payload?: string;
  listing: ListedEntry[];
  list: string[];
  sha256: string[];
  options: Partial<CreateOptions>;
  source: ListedEntry[];
}

function smallVectors(): Vector[] {
  const { archives, sources } = jsonVector<{ archives: SmallArchive[]; sources: Record<string, ListedEntry[]> }>(
    "pxar/small.json",
  );
  return archives.map(({ command, archive, payload, pxar_list, extracted }) => {
    const words = command.split(" ");
    const excludes = words.flatMap((word, i) => words[i - 1] === "--exclude" ? [word] : []);
    const features = { ...DEFAULT_FEATURES };
    if (words.includes("--no-xattrs")) features.xattrs = false;
    if (words.includes("--no-acls")) features.acls = false;
    if (words.includes("--no-fcaps")) features.fcaps = false;
    return {
      archive: `pxar/${archive.file}`,
      payload: payload && `pxar/${payload.file}`,
      listing: extracted,
      list: pxar_list,
      sha256: payload ? [archive.sha256, payload.sha256] : [archive.sha256],
      options: { excludes, features },
      source: sources[words[3]] ?? extracted,
    };
  });
}

function treeVectors(): Vector[] {
  const sums = jsonVector<Record<string, { sha256: string }>>("pxar/tree.items.json");
  const listing = jsonVector<ListedEntry[]>("pxar/tree.json");
  const list = new TextDecoder().decode(vector("pxar/tree.list")).trimEnd().split("\n");
  const of = (archive: string, payload?: string): Vector => ({
    archive: `pxar/${archive}.zst`,
    payload: payload && `pxar/${payload}.zst`,
    listing,
    list,
    sha256: [sums[archive].sha256, ...(payload ? [sums[payload].sha256] : [])],
    options: {},
    source: listing,
  });
  return [of("tree.pxar"), of("tree.mpxar", "tree.ppxar")];
}

const decoderOf = ({ archive, payload }: Vector) =>
  new PxarDecoder(pieces(vector(archive), 5000), { payload: payload ? pieces(vector(payload), 5000) : undefined });

/** Without the flags that a restore leaves out ("no dump") and those by which ext4 marks its large directories. */
function restorable(entries: ListedEntry[]): ListedEntry[] {
  return entries.map(({ chattr, ...rest }) => {
    const flags = Number(chattr ?? 0) & ~(0x40 | 0x1000);
    return flags === 0 ? rest : { ...rest, chattr: `0x${flags.toString(16)}` };
  });
}

async function withTemporary(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("PX-10 listing prints each path as the real tool does", async () => {
  for (const test of [...smallVectors(), ...treeVectors()]) {
    const lines: string[] = [];
    await listArchive(decoderOf(test), (line) => void lines.push(line));
    assert.deepEqual(lines, test.list, test.archive);
  }
});

for (const test of root ? [...smallVectors(), ...treeVectors()] : []) {
  Deno.test(`PX-15 ${test.archive} extracts to the recorded tree, by both readers`, async () => {
    await withTemporary(async (directory) => {
      const log: string[] = [];
      const options = { target: `${directory}/a`, log: (line: string) => void log.push(line) };
      await extractArchive(decoderOf(test), options);
      assert.deepEqual(log, []);
      assert.deepEqual(listTree(options.target), restorable(test.listing));

      const accessor = new PxarAccessor(
        memorySource(vector(test.archive)),
        test.payload ? memorySource(vector(test.payload)) : undefined,
      );
      await extractMatching(accessor, { ...options, target: `${directory}/b` });
      assert.deepEqual(listTree(`${directory}/b`), restorable(test.listing));
    });
  });

  Deno.test(`PX-15 creating ${test.archive} again gives the same bytes`, async () => {
    await withTemporary(async (directory) => {
      const target = `${directory}/tree`;
      // The archive of the unrestricted tree is what the source was.
      const full = test.options.excludes?.length ? "pxar/small/exclude.pxar" : test.archive;
      const source = full === test.archive ? test : { ...test, archive: full, payload: undefined };
      if (test.options.features !== undefined && /attrs-no/.test(test.archive)) {
        source.archive = "pxar/small/attrs.pxar";
      }
      await extractArchive(decoderOf(source), { target });
      setNoDump(target, test.listing);
      const archive = new MemorySink(), payload = new MemorySink();
      await createArchive({
        ...test.options,
        source: target,
        archive,
        payload: test.payload ? payload : undefined,
      });
      const made = test.payload ? [archive.bytes(), payload.bytes()] : [archive.bytes()];
      if (full !== test.archive) return checkExcluded(made, test);
      assert.deepEqual(made.map(sha256), test.sha256);
    });
  });
}

/** The recorded source held entries that its `.pxarexclude` hides from every archive; compare what can be compared. */
async function checkExcluded(made: Uint8Array[], test: Vector): Promise<void> {
  const lines: string[] = [];
  const decoder = new PxarDecoder(pieces(made[0], 4096), { metadataOnly: made.length > 1 });
  await listArchive(decoder, (line) => void lines.push(line));
  assert.deepEqual(lines, test.list);
  const prelude = await new PxarAccessor(memorySource(made[0])).prelude();
  const expected = await new PxarAccessor(memorySource(vector(test.archive))).prelude();
  assert.deepEqual(prelude, expected);
}

/** Sets the "no dump" flags that a restore leaves out. */
function setNoDump(target: string, listing: ListedEntry[]): void {
  for (const { path, chattr } of listing) {
    if (typeof path !== "string" || !chattr || (Number(chattr) & 0x40) === 0) continue;
    const fd = open(target + path, OpenFlag.READ);
    setFlags(fd, (getFlags(fd) ?? 0) | 0x40);
    close(fd);
  }
}

Deno.test({
  name: "PX-09 patterns select what is extracted, with the directories on the way to it",
  ignore: !root,
  async fn() {
    const tests = treeVectors();
    for (
      const patterns of [["docs"], ["**/*.txt", "!docs/**"], ["/odd/日本語.txt"], [
        "/deep/level-00/level-01",
        "/many/*0*",
      ]]
    ) {
      const results: ListedEntry[][] = [];
      for (const test of tests) {
        await withTemporary(async (directory) => {
          const options = {
            patterns: patterns.map((pattern) => parsePattern(pattern, { kind: "include" })),
            target: `${directory}/sequential`,
          };
          await extractArchive(decoderOf(test), options);
          results.push(listTree(options.target));
          const source = memorySource(vector(test.archive));
          const payload = test.payload ? memorySource(vector(test.payload)) : undefined;
          await extractMatching(new PxarAccessor(source, payload), { ...options, target: `${directory}/random` });
          results.push(listTree(`${directory}/random`));
        });
      }
      for (const result of results) assert.deepEqual(result, results[0]);
      assert.ok(results[0].length > 1, `nothing extracted for ${patterns}`);
      const expected = new Map(restorable(tests[0].listing).map((entry) => [JSON.stringify(entry.path), entry]));
      for (const entry of results[0]) {
        assert.deepEqual(entry, expected.get(JSON.stringify(entry.path)));
      }
    }
  },
});

Deno.test({
  name: "PX-09 a selected hardlink whose other name is not selected gets the content",
  ignore: !root,
  async fn() {
    for (const test of treeVectors()) {
      await withTemporary(async (directory) => {
        const payload = test.payload ? memorySource(vector(test.payload)) : undefined;
        const accessor = new PxarAccessor(memorySource(vector(test.archive)), payload);
        const patterns = [parsePattern("/links/hard-*", { kind: "include" })];
        const stats = await extractMatching(accessor, { target: `${directory}/t`, patterns });
        assert.deepEqual([stats.errors, stats.files], [0, 2]);
        const expected = test.listing.find((entry) => entry.path === "/links/hard-a");
        const found = listTree(`${directory}/t`).find((entry) => entry.path === "/links/hard-a");
        assert.equal(found?.sha256, expected?.sha256);
        assert.equal(found?.mtime_ns, expected?.mtime_ns);
      });
    }
  },
});

Deno.test({
  name: "one file is restored from a few parts of the archive",
  ignore: !root,
  async fn() {
    const bytes = vector("pxar/tree.pxar.zst");
    const blocks = new Set<number>();
    const source = memorySource(bytes);
    const counting = {
      size: source.size,
      read(offset: number, length: number) {
        for (let at = offset >> 16; at <= (offset + length - 1) >> 16; at++) blocks.add(at);
        return source.read(offset, length);
      },
    };
    await withTemporary(async (directory) => {
      const patterns = [parsePattern("/docs/readme.txt", { kind: "include" })];
      const stats = await extractMatching(new PxarAccessor(counting), { target: `${directory}/t`, patterns });
      assert.equal(stats.files, 1);
      assert.ok(blocks.size <= 8, `${blocks.size} of ${bytes.length >> 16} blocks of 64 KiB were read`);
    });
  },
});
