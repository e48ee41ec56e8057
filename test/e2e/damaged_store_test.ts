/** Damaged files in a datastore: each costs only what it belongs to, and the client says what is wrong. */
import assert from "node:assert/strict";
import { assertRefused, chunkFiles, noise, Testbed } from "./testbed.ts";

const MIB = 2 ** 20;

Deno.test("ST-74 CL-137 damaged indexes, blobs, chunks and manifests are refused, other snapshots stay readable", async (t) => {
  await using bed = await Testbed.start();
  const tree = await bed.scratch.folder("tree");
  await Deno.writeFile(`${tree}/random`, noise(3 * MIB));
  await Deno.writeTextFile(`${tree}/text`, "some text\n".repeat(50_000));
  await Deno.writeFile(`${tree}/disk.raw`, noise(5 * MIB, 7));
  await Deno.writeTextFile(`${tree}/some.conf`, "key: value\n");
  const specs = [`tree.pxar:${tree}`, `disk.img:${tree}/disk.raw`, `some.conf:${tree}/some.conf`];
  await bed.must(["backup", ...specs, "--backup-id", "a", "--backup-time", "1700000000"]);
  const own = await chunkFiles(bed.store);
  // Of other content altogether: nothing of it may suffer.
  const sane = await bed.scratch.folder("sane");
  await Deno.writeFile(`${sane}/other`, noise(2 * MIB, 5));
  await bed.must(["backup", `tree.pxar:${sane}`, "--backup-id", "sane", "--backup-time", "1700000000"]);
  const folder = `${bed.store}/host/a/2023-11-14T22:13:20Z`;
  let count = 0;
  const restore = (archive: string, snapshot = "host/a") =>
    bed.client(["restore", snapshot, archive, `${bed.scratch.path}/out-${count++}`]);

  /** Changes a file of the store, looks, and puts it back. */
  const damaged = async (path: string, change: (bytes: Uint8Array) => Uint8Array, look: () => Promise<void>) => {
    const bytes = await Deno.readFile(path);
    await Deno.writeFile(path, change(bytes.slice()));
    try {
      await look();
    } finally {
      await Deno.writeFile(path, bytes);
    }
  };
  const flip = (at: number) => (bytes: Uint8Array) => {
    bytes[at < 0 ? bytes.length + at : at] ^= 0x10;
    return bytes;
  };
  const cut = (length: number) => (bytes: Uint8Array) => bytes.slice(0, length);

  const cases: Record<string, { file: string; archive: string; ways: ((bytes: Uint8Array) => Uint8Array)[] }> = {
    "a dynamic index": {
      file: "tree.pxar.didx",
      archive: "tree.pxar",
      ways: [flip(4100), flip(0), cut(4096)],
    },
    "a fixed index": {
      file: "disk.img.fidx",
      archive: "disk.img",
      ways: [flip(-1), flip(65), cut(4100)],
    },
    "a blob": { file: "some.conf.blob", archive: "some.conf", ways: [flip(-1), cut(5)] },
    "the manifest": { file: "index.json.blob", archive: "some.conf", ways: [flip(-5), cut(0)] },
  };
  for (const [name, { file, archive, ways }] of Object.entries(cases)) {
    await t.step(`${name}, flipped or cut`, async () => {
      for (const [i, way] of ways.entries()) {
        await damaged(`${folder}/${file}`, way, async () => {
          assertRefused(await restore(archive), /./);
          if (i === 0) assert.equal((await restore("tree.pxar", "host/sane")).code, 0);
        });
      }
      assert.equal((await restore(archive)).code, 0);
    });
  }

  await t.step("every chunk of the snapshot, flipped, cut or gone", async () => {
    let refusals = 0;
    const unread: string[] = [];
    const both = () => Promise.all(["tree.pxar", "disk.img"].map((archive) => restore(archive)));
    const check = async () => {
      for (const outcome of (await both()).filter(({ code }) => code !== 0)) {
        assertRefused(outcome, /chunk|digest|checksum|CRC|blob/i);
        refusals++;
      }
    };
    for (const [i, chunk] of own.entries()) {
      const half = Math.floor((await Deno.stat(chunk)).size / 2);
      // The catalog, and the table behind the last file: a restore needs neither.
      if (half < 500) continue;
      const before = refusals;
      await damaged(chunk, i % 2 === 0 ? flip(-1) : cut(half), check);
      if (refusals === before) unread.push(`${chunk} (${2 * half} bytes)`);
    }
    assert.equal(unread.length, 0, unread.join("\n"));
    await Promise.all(own.map((chunk) => Deno.rename(chunk, `${chunk}.away`)));
    const before = refusals;
    await check();
    assert.equal(refusals, before + 2);
    await Promise.all(own.map((chunk) => Deno.rename(`${chunk}.away`, chunk)));
    assert.equal((await restore("tree.pxar")).code, 0);
  });

  await t.step(
    "listing says what can be read, and a new backup of the group is not hindered by a damaged older chunk",
    async () => {
      await damaged(`${folder}/tree.pxar.didx`, flip(4100), async () => {
        const rows = JSON.parse(await bed.must(["snapshot", "list", "--output-format", "json"]));
        assert.equal(rows.length, 2);
      });
      await bed.must(["backup", ...specs, "--backup-id", "a", "--backup-time", "1700000100"]);
      assert.equal((await restore("tree.pxar")).code, 0);
    },
  );
});
