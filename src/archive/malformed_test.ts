import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { DozoError } from "../base/errors.ts";
import { memorySource, PxarAccessor, PxarDecoder } from "../formats/pxar/mod.ts";
import { jsonVector, type MalformedCase, pieces, vector } from "../formats/pxar/testing_vectors.ts";
import { extractArchive, extractMatching } from "./extract.ts";
import type { ExtractOptions, ExtractStats } from "./extract_types.ts";
import { DEFAULT_FEATURES } from "./features.ts";
import { listTree } from "./testing_listing.ts";

interface Case extends MalformedCase {
  extract: { exit: number; tree: string[] };
  extract_strict: { exit: number; tree: string[] };
  random_access_mount?: { mounted: boolean };
}

const root = Deno.uid() === 0;

/** What `tree` in the vectors shows of an entry. */
function shown(directory: string): string[] {
  return listTree(directory).slice(1).map((entry) => {
    const name = String(entry.path).slice(1);
    const info = Deno.lstatSync(`${directory}/${name}`);
    if (entry.type === "symlink") return `${name} ${entry.mode} -> ${entry.target}`;
    if (entry.type === "directory") return `${name} ${entry.mode}`;
    return `${name} ${entry.mode} size ${info.size} nlink ${info.nlink}`;
  });
}

/** A directory with the target and, beside it, what archives must not touch. */
async function withOutside(use: (target: string, unchanged: () => void) => Promise<void>): Promise<void> {
  // In memory where that can be had: most of the time would go into creating and deleting inodes.
  const directory = await Deno.makeTempDir({ dir: existsSync("/dev/shm") ? "/dev/shm" : undefined });
  try {
    await Deno.mkdir(`${directory}/outdir`);
    await Deno.writeTextFile(`${directory}/outdir/victim`, "victim\n");
    await Deno.writeTextFile(`${directory}/outside.txt`, "outside\n");
    await use(`${directory}/target`, () => {
      assert.deepEqual([...Deno.readDirSync(`${directory}/outdir`)].map((entry) => entry.name), ["victim"]);
      assert.equal(readFileSync(`${directory}/outdir/victim`, "utf8"), "victim\n");
      assert.equal(readFileSync(`${directory}/outside.txt`, "utf8"), "outside\n");
      for (const file of ["outdir/victim", "outside.txt"]) {
        assert.equal(Deno.lstatSync(`${directory}/${file}`).nlink, 1, `${file} was linked to`);
      }
    });
  } finally {
    try {
      Deno.removeSync(directory, { recursive: true });
    } catch {
      // Trees deeper than a path may be long defeat the runtime's own removal.
      await new Deno.Command("rm", { args: ["-rf", directory] }).output();
    }
  }
}

for (const test of root ? jsonVector<Case[]>("pxar/malformed.json") : []) {
  Deno.test(`PX-16 extracting damaged archive ${test.name} stays inside of the target`, async () => {
    const archive = vector(`pxar/${test.archive}`);
    const payload = test.payload ? vector(`pxar/${test.payload}`) : undefined;
    const sequential = (options: ExtractOptions) =>
      extractArchive(new PxarDecoder(pieces(archive, 777), { payload: payload && pieces(payload, 99) }), options);
    const random = (options: ExtractOptions) =>
      extractMatching(new PxarAccessor(memorySource(archive), payload && memorySource(payload)), options);
    const overwriting = {
      overwriteFiles: true,
      overwriteSymlinks: true,
      overwriteHardlinks: true,
      allowExistingDirs: true,
    };
    for (const extract of [sequential, random]) {
      for (const mode of [{}, { strict: true }, overwriting]) {
        await withOutside(async (target, unchanged) => {
          const log: string[] = [];
          let stats: ExtractStats | undefined;
          try {
            stats = await extract({ target, log: (line) => void log.push(line), ...mode });
          } catch (error) {
            assert.ok(error instanceof DozoError, String(error));
            assert.doesNotMatch(error.message, /\n/);
          }
          unchanged();
          const good = stats !== undefined && stats.errors === 0;
          if (test.advice.startsWith("must be readable")) {
            assert.ok(good, log.join("\n"));
            if (test.name !== "deep-200") assert.deepEqual(shown(target), test.extract.tree);
          } else if (/^(must be rejected|refuse)/.test(test.advice) && extract === sequential) {
            // Overwriting is what makes two entries of one name acceptable.
            const allowed = mode === overwriting && /^(name-duplicate|symlink-then-file)$/.test(test.name);
            assert.ok(!good || allowed, `${test.name} was extracted`);
          }
        });
      }
    }
  });
}

Deno.test({
  name: "PX-13 without --strict an entry that fails is reported and the others are extracted",
  ignore: !root,
  async fn() {
    const archive = vector("pxar/malformed/name-256.pxar");
    await withOutside(async (target) => {
      const log: string[] = [];
      const options = { target, log: (line: string) => void log.push(line) };
      const stats = await extractArchive(new PxarDecoder(pieces(archive, 100)), options);
      assert.equal(stats.errors, 1);
      assert.equal(log.length, 1);
      assert.match(log[0], /^error at "\/n+": /);
      assert.ok(shown(target).length >= 4);
    });
    await withOutside(async (target) => {
      await assert.rejects(extractArchive(new PxarDecoder(pieces(archive, 100)), { target, strict: true }), DozoError);
    });
  },
});

/** A small deterministic generator, so that a failing round can be repeated. */
function generator(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

Deno.test({
  name: "PX-16 extracting mutated archives never crashes nor leaves the target",
  ignore: !root,
  async fn() {
    const random = generator(4711);
    const sources = ["malformed/symlink-then-dir.pxar", "malformed/hardlink-through-symlink.pxar", "small/attrs.pxar"];
    const originals = sources.map((source) => vector(`pxar/${source}`));
    await withOutside(async (target, unchanged) => {
      for (let round = 0; round < 200; round++) {
        const bytes = originals[round % originals.length].slice();
        for (let changes = 1 + random(4); changes > 0; changes--) {
          const at = random(bytes.length);
          if (random(3) === 0) bytes.copyWithin(at, random(bytes.length), Math.min(bytes.length, at + 40));
          else bytes[at] = [0, 0x2e, 0x2f, 0xff, random(256)][random(5)];
        }
        const options: ExtractOptions = {
          target: `${target}${random(3)}`,
          allowExistingDirs: true,
          overwriteFiles: true,
          overwriteSymlinks: true,
          overwriteHardlinks: true,
          // Owners, attributes and flags of a mutation have nothing to do with where it is written.
          features: { ...DEFAULT_FEATURES, devices: false, inodeFlags: 0 },
        };
        const run = round % 2 === 0
          ? extractArchive(new PxarDecoder(pieces(bytes, 300)), options)
          : extractMatching(new PxarAccessor(memorySource(bytes)), options);
        await run.catch((error) => assert.ok(error instanceof DozoError, String(error)));
        unchanged();
      }
    });
  },
});
