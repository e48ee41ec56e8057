/** What happens to a store when the disk is full, a process is killed, or several processes work on it. */
import assert from "node:assert/strict";
import { toHex } from "../base/bytes.ts";
import { decodeBlob, encodeBlob } from "../formats/blob.ts";
import { sha256Sync } from "../native/crypto.ts";
import { Datastore, type DatastoreOptions } from "./datastore.ts";
import { addSnapshot, makeTestStore } from "./testing.ts";

const here = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
const config = new URL("../../deno.json", import.meta.url).pathname;

/** Starts `body` (a module's text, which may use `store` and `addSnapshot`) as another process on the same store. */
async function startProcess(options: DatastoreOptions, body: string) {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(
    file,
    `import { Datastore } from ${here("./datastore.ts")};
     import { addSnapshot } from ${here("./testing.ts")};
     import { encodeBlob } from ${here("../formats/blob.ts")};
     import { sha256Sync } from ${here("../native/crypto.ts")};
     const store = await Datastore.open(${JSON.stringify(options)});
     ${body}`,
  );
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", config, file],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    process,
    /** Waits for the process's next output. */
    heard: async () => (await lines.read()).value,
    ended: async () => {
      const { code } = await process.status;
      await lines.cancel();
      await Deno.remove(file);
      return code;
    },
  };
}

async function filesBelow(path: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    if (isDirectory) files.push(...await filesBelow(`${path}/${name}`));
    else files.push(`${path}/${name}`);
  }
  return files;
}

Deno.test("BP-13 a process killed in the middle of a backup leaves no lock, nothing listed, and no work by hand", async () => {
  const { store, options, path, cleanUp } = await makeTestStore();
  try {
    const group = { ns: "", type: "host", id: "h1" } as const;
    await addSnapshot(store, { ...group, time: 500 });
    for (let round = 0; round < 2; round++) {
      const other = await startProcess(
        options,
        `const writer = await store.beginBackup({ snapshot: { ns: "", type: "host", id: "h1", time: 1000 }, caller: "alice@pbs" });
         await writer.write("a.conf.blob", [await encodeBlob(new Uint8Array(100))]);
         console.log("writing");
         for (let i = 0;; i++) {
           const data = crypto.getRandomValues(new Uint8Array(60_000));
           await store.chunks.insert(sha256Sync(data), await encodeBlob(data));
         }`,
      );
      await other.heard();
      await assert.rejects(store.beginBackup({ snapshot: { ...group, time: 2000 }, caller: "alice@pbs" }), /lock/);
      assert.ok(await store.oldestWriter());
      await new Promise((resolve) => setTimeout(resolve, 100 + 60 * round));
      other.process.kill("SIGKILL");
      await other.ended();
      assert.equal(await store.oldestWriter(), undefined);
      // Every chunk that has its final name is whole.
      for await (const { digest } of store.chunks.entries()) {
        await decodeBlob(await store.chunks.read(digest), { digest });
      }
      if (round === 0) {
        assert.deepEqual(await store.removeAbandoned(), [{ ...group, time: 1000 }]);
        assert.deepEqual(await store.snapshots.times(group), [{ time: 500, finished: true }]);
      }
    }
    const next = await store.beginBackup({ snapshot: { ...group, time: 2000 }, caller: "alice@pbs" });
    assert.match(next.notes.join("\n"), /removed the interrupted backup host\/h1\/1970-01-01T00:16:40Z/);
    await next.abort();
    assert.deepEqual((await store.snapshots.list("")).map(({ time }) => time), [500]);
    const leftovers = (await filesBelow(path)).filter((file) => /\.tmp_/.test(file) && !file.includes("/.chunks/"));
    assert.deepEqual(leftovers, []);
  } finally {
    await cleanUp();
  }
});

Deno.test("two processes fill one store at the same time", async () => {
  const { store, options, cleanUp } = await makeTestStore();
  try {
    // Both store the same contents, in groups of their own, while this process lists.
    const script = (id: string) =>
      `for (let i = 1; i <= 15; i++) {
         await addSnapshot(store, { ns: "", type: "host", id: "${id}", time: i }, { content: "shared " + i });
       }`;
    const others = await Promise.all(["a", "b"].map((id) => startProcess(options, script(id))));
    let running = true;
    const ends = Promise.all(others.map((other) => other.ended())).finally(() => running = false);
    while (running) {
      for (const { size, files } of await store.snapshots.list("")) {
        if (size !== undefined) assert.equal(files.length, 3);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.deepEqual(await ends, [0, 0]);
    const all = await store.snapshots.list("");
    assert.equal(all.length, 30);
    assert.ok(all.every(({ size }) => size !== undefined));
    const digests = new Set<string>();
    for await (const { digest } of store.chunks.entries()) digests.add(toHex(digest));
    assert.equal(digests.size, 15);
  } finally {
    await cleanUp();
  }
});

Deno.test("garbage collection in another process never takes a chunk that a backup was told is there", async () => {
  const { store, options, cleanUp } = await makeTestStore();
  try {
    const other = await startProcess(
      options,
      `console.log("collecting");
       const end = Date.now() + 1500;
       while (Date.now() < end) {
         for await (const entry of store.chunks.entries()) await store.chunks.remove(entry, Date.now() / 1000 - 1000);
       }`,
    );
    await other.heard();
    const data = Array.from({ length: 20 }, (_, i) => new TextEncoder().encode(`chunk ${i}`));
    const chunks = await Promise.all(data.map(async (bytes) => ({
      digest: sha256Sync(bytes),
      blob: await encodeBlob(bytes),
    })));
    let inserts = 0;
    for (const end = Date.now() + 1200; Date.now() < end;) {
      for (const { digest, blob } of chunks) {
        await store.chunks.insert(digest, blob);
        assert.deepEqual(await store.chunks.read(digest), blob);
        inserts++;
      }
      for (const { digest } of chunks) {
        const hex = toHex(digest);
        // Old again, so that the collector wants it.
        await Deno.utime(`${options.path}/.chunks/${hex.slice(0, 4)}/${hex}`, 1e9, 1e9).catch(() => {});
      }
    }
    assert.ok(inserts > 20);
    assert.equal(await other.ended(), 0);
  } finally {
    await cleanUp();
  }
});

/** A file system of 3 MiB, or undefined where this user cannot mount one. */
async function smallFileSystem(): Promise<{ path: string; unmount(): Promise<void> } | undefined> {
  const path = await Deno.makeTempDir({ prefix: "dozo-full-" });
  const mount = new Deno.Command("mount", { args: ["-t", "tmpfs", "-o", "size=3m", "tmpfs", path], stderr: "null" });
  const mounted = (async () => (await mount.output()).success)();
  if (!await mounted.catch(() => false)) {
    await Deno.remove(path);
    return undefined;
  }
  return {
    path,
    unmount: async () => {
      await new Deno.Command("umount", { args: [path] }).output();
      await Deno.remove(path);
    },
  };
}

Deno.test("a full disk is a clear error, leaves no temporary file and no snapshot, and is over when there is space", async () => {
  const disk = await smallFileSystem();
  if (!disk) return;
  try {
    const { store, path } = await makeTestStore({}, disk.path);
    await addSnapshot(store, { ns: "", type: "host", id: "kept", time: 1 });
    const writer = await store.beginBackup({
      snapshot: { ns: "", type: "host", id: "h1", time: 1000 },
      caller: "alice@pbs",
    });
    const insert = async () => {
      const data = crypto.getRandomValues(new Uint8Array(60_000));
      const large = new Uint8Array(500_000);
      for (let at = 0; at < large.length; at += data.length) large.set(data.subarray(0, large.length - at), at);
      large.set(crypto.getRandomValues(new Uint8Array(32)));
      await store.chunks.insert(sha256Sync(large), await encodeBlob(large, { compress: false }));
    };
    await assert.rejects(async () => {
      for (let i = 0; i < 20; i++) await insert();
    }, /inserting chunk [0-9a-f]{64} failed - no space left on the file system; free space/);
    await assert.rejects(writer.write("big.conf.blob", [new Uint8Array(2_000_000)]), /no space left/);
    assert.deepEqual((await filesBelow(path)).filter((file) => file.includes(".tmp_")), []);
    await writer.abort();
    assert.deepEqual((await store.snapshots.list("")).map(({ id }) => id), ["kept"]);
    for await (const entry of store.chunks.entries()) {
      await decodeBlob(await store.chunks.read(entry.digest), { digest: entry.digest });
      await store.chunks.remove(entry, Date.now());
    }
    await addSnapshot(store, { ns: "", type: "host", id: "h1", time: 2000 });
    const { total, avail } = await store.space();
    assert.equal(total, 3 * 1024 * 1024);
    assert.ok(avail > 1_000_000);
  } finally {
    await disk.unmount();
  }
});

Deno.test("a store whose file system is not mounted is refused, not filled", async () => {
  const { options, path, cleanUp } = await makeTestStore();
  await Deno.remove(`${path}/.chunks`);
  await assert.rejects(Datastore.open(options), /\.chunks is missing/);
  await cleanUp();
});
