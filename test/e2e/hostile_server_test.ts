/** A restore from a server that lies never writes outside its target and ends with one clear line. */
import assert from "node:assert/strict";
import { zstdCompressSync } from "node:zlib";
import { concatBytes } from "../../src/base/bytes.ts";
import { encodeBlob, sealCrc } from "../../src/formats/blob.ts";
import { sha256Sync } from "../../src/native/crypto.ts";
import { vector, vectorJson } from "../vectors.ts";
import { must, Scratch } from "./harness.ts";
import { restoreFrom, Snapshot } from "./hostile_server.ts";
import { assertRefused, IS_ROOT, noise } from "./testbed.ts";

interface Malformed {
  readonly name: string;
  readonly archive: string;
  readonly payload?: string;
  readonly advice: string;
}

const OVERWRITING = ["--overwrite", "--allow-existing-dirs"];

/** Archives that try to get out of the target, or whose extraction would follow a link. */
const ESCAPES = [
  ...["name-slash", "name-absolute", "name-dotdot", "dir-name-dotdot", "name-dotdot-slash", "name-inner-nul"],
  ...["hardlink-absolute", "hardlink-dotdot", "hardlink-through-symlink", "symlink-then-dir", "symlink-then-file"],
];

/** The target's surroundings, which must stay as they are. */
async function surroundings(scratch: Scratch): Promise<{ target: string; check: () => Promise<void> }> {
  const folder = await scratch.folder(crypto.randomUUID());
  await Deno.mkdir(`${folder}/outdir`);
  await Deno.writeTextFile(`${folder}/outdir/victim`, "victim\n");
  await Deno.writeTextFile(`${folder}/outside.txt`, "outside\n");
  const look = () =>
    must("bash", ["-c", "find . -path ./target -prune -o -printf '%p %m %n %s %T@ %l\\n' | sort"], { cwd: folder });
  const before = await look();
  // The folder's own time changes with the target's creation.
  const stable = (text: string) => text.split("\n").filter((line) => !line.startsWith(". ")).join("\n");
  return {
    target: `${folder}/target`,
    check: async () => assert.equal(stable(await look()), stable(before)),
  };
}

Deno.test({
  name: "a hostile archive: nothing is written outside the target, no link is followed",
  ignore: !IS_ROOT, // the archives hold owners that only root can restore
  fn: async (t) => {
    await using scratch = await Scratch.make();
    const cases = vectorJson<Malformed[]>("pxar/malformed.json").filter(({ name }) => ESCAPES.includes(name));
    assert.equal(cases.length, ESCAPES.length);
    for (const { name, archive } of cases) {
      await t.step(name, async () => {
        for (const options of [[], OVERWRITING]) {
          const snapshot = new Snapshot();
          await snapshot.addArchive("tree.pxar.didx", vector(`pxar/${archive}`));
          const { target, check } = await surroundings(scratch);
          const outcome = await restoreFrom(snapshot, ["tree.pxar", target, ...options]);
          await check();
          assertRefused(outcome, /./);
        }
      });
    }
  },
});

Deno.test("a hostile server: wrong, endless and impossible data end the restore with one line", async (t) => {
  await using scratch = await Scratch.make();
  const image = noise(100_000);
  let count = 0;
  const target = () => `${scratch.path}/target-${count++}`;

  const archiveOf = async (chunk: Uint8Array<ArrayBuffer> | AsyncIterable<Uint8Array>): Promise<Snapshot> => {
    const snapshot = new Snapshot();
    await snapshot.addArchive("tree.pxar.didx", image);
    for (const digest of snapshot.chunks.keys()) snapshot.chunks.set(digest, chunk);
    return snapshot;
  };
  const step = (name: string, make: () => Promise<Snapshot>, pattern: RegExp) =>
    t.step(name, async () => {
      // To standard output: the bytes of the archive as they are.
      const outcome = await restoreFrom(await make(), ["tree.pxar", "-"]);
      assertRefused(outcome, pattern);
    });

  await step(
    "ST-74 CL-137 a chunk of other data",
    async () => archiveOf(await encodeBlob(noise(100_000, 2))),
    /digest|checksum/,
  );
  await step(
    "a chunk that is too short",
    async () => archiveOf(await encodeBlob(image.slice(0, 99_999))),
    /digest|length/,
  );
  await step("a chunk that ends early", async () => archiveOf((await encodeBlob(image)).slice(0, 5000)), /./);
  await step("a chunk of eleven bytes", () => archiveOf(new Uint8Array(11)), /./);
  await step("a chunk that unpacks to gigabytes", async () => archiveOf(await bomb()), /./);
  await step("a chunk that never ends", () => archiveOf(endless()), /./);
  await step("a chunk that is not there", async () => {
    const snapshot = await archiveOf(new Uint8Array());
    snapshot.chunks.clear();
    return snapshot;
  }, /./);
  await step("a manifest that never ends", async () => {
    const snapshot = await archiveOf(new Uint8Array());
    snapshot.files.set("index.json.blob", endless());
    return snapshot;
  }, /./);
  await step("a manifest that is none", async () => {
    const snapshot = await archiveOf(new Uint8Array());
    snapshot.files.set("index.json.blob", await encodeBlob(new TextEncoder().encode('{"files":[{}]}')));
    return snapshot;
  }, /manifest/);
  await step("an index that the manifest does not know", async () => {
    const snapshot = await archiveOf(await encodeBlob(image));
    const other = new Snapshot();
    await other.addArchive("tree.pxar.didx", noise(50, 3));
    snapshot.files.set("tree.pxar.didx", other.files.get("tree.pxar.didx") ?? []);
    return snapshot;
  }, /tree\.pxar\.didx|index|checksum/);
  await step("an index that promises a chunk of 5 GiB", () => Promise.resolve(giant("tree.pxar.didx")), /./);

  await t.step("the same for an image", async () => {
    const file = target();
    const snapshot = giant("disk.img.fidx");
    assertRefused(await restoreFrom(snapshot, ["disk.img", file]), /./);
    assert.ok(!await sizeOf(file), "a file of an impossible image was left");
  });
});

/** Zeros whose blob is small: 256 MiB behind a header that says nothing of it. */
async function bomb(): Promise<Uint8Array<ArrayBuffer>> {
  const compressed = zstdCompressSync(new Uint8Array(256 * 2 ** 20));
  const blob = concatBytes(new Uint8Array([49, 185, 88, 66, 111, 182, 163, 127, 0, 0, 0, 0]), compressed);
  await sealCrc(blob);
  return blob;
}

async function* endless(): AsyncGenerator<Uint8Array> {
  const block = noise(65536);
  for (;;) yield await Promise.resolve(block);
}

/** A snapshot whose index has one entry of 5 GiB. */
function giant(name: string): Snapshot {
  const GIB5 = 5n * 2n ** 30n;
  const snapshot = new Snapshot();
  const digest = new Uint8Array(32).fill(7);
  const header = new Uint8Array(4096);
  const view = new DataView(header.buffer);
  const end = new Uint8Array(8);
  new DataView(end.buffer).setBigUint64(0, GIB5, true);
  const isDynamic = name.endsWith(".didx");
  header.set(isDynamic ? [28, 145, 78, 165, 25, 186, 179, 205] : [47, 127, 65, 237, 145, 253, 15, 205]);
  const csum = isDynamic ? sha256Sync(end, digest) : sha256Sync(digest);
  header.set(csum, 32);
  if (!isDynamic) {
    view.setBigUint64(64, GIB5, true);
    view.setBigUint64(72, 8n * 2n ** 30n, true);
  }
  snapshot.addIndex(name, [concatBytes(header, ...(isDynamic ? [end] : []), digest)], csum, Number(GIB5));
  return snapshot;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await Deno.stat(path)).blocks ?? 0;
  } catch {
    return 0;
  }
}
