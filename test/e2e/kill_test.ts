/** Either side is killed at any moment: what was finished stays whole, nothing needs repair, work goes on at once. */
import assert from "node:assert/strict";
import { toHex } from "../../src/base/bytes.ts";
import { decodeBlob } from "../../src/formats/blob.ts";
import { DynamicIndex } from "../../src/formats/dynamic_index.ts";
import { sha256Sync } from "../../src/native/crypto.ts";
import { FAILED, noise, sleep, Testbed, timeText, until } from "./testbed.ts";

const MIB = 2 ** 20;
const CLIENTS = ["a", "b", "c", "d"];
const KILLS = 10;

/** One client's source folder, its group and the snapshots that were reported as finished, with the seed of their content. */
class Source {
  readonly finished = new Map<string, number>();
  /** Snapshots whose client did not get to say how they ended. */
  readonly open = new Map<string, number>();
  #time = 1_700_000_000;

  constructor(readonly bed: Testbed, readonly id: string, readonly folder: string) {}

  static async make(bed: Testbed, id: string): Promise<Source> {
    const folder = await bed.scratch.folder(`source-${id}`);
    await Deno.writeFile(`${folder}/constant`, noise(MIB, id.charCodeAt(0)));
    return new Source(bed, id, folder);
  }

  /** Backs up new content once; whether the client reported success. */
  async backUp(): Promise<boolean> {
    const seed = this.#time++;
    await Deno.writeFile(`${this.folder}/changing`, content(this.id, seed));
    const snapshot = `host/${this.id}/${timeText(seed)}`;
    this.open.set(snapshot, seed);
    const args = ["backup", `tree.pxar:${this.folder}`, "--backup-id", this.id, "--backup-time", String(seed)];
    const outcome = await this.bed.client(args);
    this.lastError = outcome.stderr;
    if (outcome.code !== 0) {
      assert.equal(outcome.code, FAILED, outcome.stderr);
      return false;
    }
    this.open.delete(snapshot);
    this.finished.set(snapshot, seed);
    return true;
  }

  lastError = "";

  /** Restores the snapshot and compares all of it. */
  async verify(snapshot: string): Promise<void> {
    const seed = this.finished.get(snapshot) ?? this.open.get(snapshot);
    assert.ok(seed !== undefined, `${snapshot} was never begun`);
    const target = `${this.bed.scratch.path}/restored-${this.id}`;
    await this.bed.must(["restore", snapshot, "tree.pxar", target]);
    const wanted = { constant: noise(MIB, this.id.charCodeAt(0)), changing: content(this.id, seed) };
    for (const [name, bytes] of Object.entries(wanted)) {
      assert.equal(Buffer.compare(await Deno.readFile(`${target}/${name}`), bytes), 0, `${snapshot}: ${name}`);
    }
    await Deno.remove(target, { recursive: true });
  }
}

function content(id: string, seed: number): Uint8Array<ArrayBuffer> {
  return noise(MIB + seed % 1000, seed + id.charCodeAt(0));
}

/** Fails unless every chunk of the snapshot's archive is in the store and holds what its digest says. */
async function checkChunks(bed: Testbed, snapshot: string): Promise<void> {
  const index = new DynamicIndex(await Deno.readFile(`${bed.store}/${snapshot}/tree.pxar.didx`));
  for (const { digest } of index.chunks()) {
    const name = toHex(digest);
    const data = await decodeBlob(await Deno.readFile(`${bed.store}/.chunks/${name.slice(0, 4)}/${name}`));
    assert.equal(toHex(sha256Sync(data)), name, snapshot);
  }
}

/** Snapshots that are listed: all that were reported finished, and of the others only whole ones. */
async function checkList(bed: Testbed, sources: readonly Source[]): Promise<void> {
  const listed = new Set(await bed.snapshots());
  for (const source of sources) {
    for (const snapshot of source.finished.keys()) assert.ok(listed.has(snapshot), `${snapshot} is lost`);
    // The server may have finished one whose client was not told any more: then it counts, and must be whole.
    for (const [snapshot, seed] of source.open) {
      if (listed.has(snapshot)) source.finished.set(snapshot, seed);
    }
    source.open.clear();
  }
  const known = new Set(sources.flatMap((source) => [...source.finished.keys()]));
  assert.deepEqual([...listed].filter((snapshot) => !known.has(snapshot)), []);
  assert.deepEqual(await bed.leftovers(), []);
}

Deno.test("kill -9 of all server processes ten times: finished snapshots restore, no lock is stuck, nothing is left", async () => {
  await using bed = await Testbed.start({ serverArgs: ["--workers", "2"] });
  const sources = await Promise.all(CLIENTS.map((id) => Source.make(bed, id)));
  for (let kill = 0; kill < KILLS; kill++) {
    // All groups take a backup at once, whatever the last kill interrupted.
    for (const [i, done] of (await Promise.all(sources.map((source) => source.backUp()))).entries()) {
      assert.ok(done, `after kill ${kill}: group ${CLIENTS[i]}: ${sources[i].lastError}\n${bed.server.output}`);
    }
    let alive = true;
    const loops = sources.map(async (source) => {
      while (alive && await source.backUp());
    });
    await sleep(100 + Math.random() * 900);
    alive = false;
    await bed.server.kill();
    await Promise.all(loops);
    await bed.server.start();
    await checkList(bed, sources);
    // One is restored now; the chunks of all are read at the end.
    await sources[kill % sources.length].verify([...sources[kill % sources.length].finished.keys()].at(-1) ?? "");
  }
  for (const source of sources) {
    for (const snapshot of source.finished.keys()) await checkChunks(bed, snapshot);
  }
  await Promise.all(sources.map(async (source) => {
    for (const snapshot of [...source.finished.keys()].slice(-2)) await source.verify(snapshot);
  }));
});

Deno.test("BP-13 kill -9 of the client: the server removes what it left, the group takes the next backup at once", async () => {
  await using bed = await Testbed.start({ serverArgs: ["--workers", "2"] });
  const source = await Source.make(bed, "a");
  await Deno.writeFile(`${source.folder}/large`, noise(24 * MIB, 99));
  assert.ok(await source.backUp(), source.lastError);
  await Deno.writeFile(`${source.folder}/large`, noise(24 * MIB, 100));
  const before = await bed.snapshots();
  for (let kill = 0; kill < 5; kill++) {
    const time = 1_800_000_000 + kill;
    const child = bed.background([
      ...["backup", `tree.pxar:${source.folder}`, "--backup-id", "a", "--backup-time", String(time)],
      ...["--rate", "4MB"],
    ]);
    const folder = `${bed.store}/host/a/${timeText(time)}`;
    await until("the session begins", () => exists(folder), 20);
    await sleep(Math.random() * 1000);
    child.kill("SIGKILL");
    await child.status;
    await until("the server removes the snapshot", async () => !await exists(folder), 10);
  }
  assert.deepEqual(await bed.snapshots(), before);
  assert.deepEqual(await bed.leftovers(), []);
  assert.ok(await source.backUp(), source.lastError);
  // The last one fails: its group was new, and must be gone with it.
  const child = bed.background(["backup", `tree.pxar:${source.folder}`, "--backup-id", "new", "--rate", "4MB"]);
  await until("the session begins", () => exists(`${bed.store}/host/new`), 20);
  child.kill("SIGKILL");
  await child.status;
  await until("the new group is removed", async () => !await exists(`${bed.store}/host/new`), 10);
});

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
