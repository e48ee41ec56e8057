import assert from "node:assert/strict";
import { toHex } from "../../base/bytes.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { sha256Sync } from "../../native/crypto.ts";
import { chunkPath, parseChunkName } from "./chunk_path.ts";
import { testBackend } from "./conformance.ts";
import { DirectoryBackend } from "./directory.ts";
import { failure } from "./failure.ts";
import { tempName } from "./temp_name.ts";

async function makeBase(): Promise<string> {
  const base = await Deno.makeTempDir({ prefix: "dozo-backend-" });
  await Deno.mkdir(`${base}/.chunks`, { mode: 0o750 });
  return base;
}

testBackend("directory back end", (name, run) => Deno.test(name, run), async () => {
  const base = await makeBase();
  const backend = new DirectoryBackend(base, `${base}/.locks`);
  const fileOf = (digest: Uint8Array) => `${base}/.chunks/${chunkPath(digest)}`;
  return {
    backend,
    reopen: () => new DirectoryBackend(base, `${base}/.locks`),
    age: async (digest, atime) => {
      const stat = await Deno.stat(fileOf(digest));
      await Deno.utime(fileOf(digest), atime, stat.mtime ?? new Date());
    },
    corrupt: (digest, bytes) => Deno.writeFile(fileOf(digest), bytes),
    cleanUp: () => Deno.remove(base, { recursive: true }),
  };
});

Deno.test("ST-29 a chunk lies below the first four digits of its digest, mode 0644", async () => {
  const base = await makeBase();
  const backend = new DirectoryBackend(base, `${base}/.locks`);
  const data = new Uint8Array([1, 2, 3]);
  const digest = sha256Sync(data);
  await backend.insertChunk(digest, await encodeBlob(data), "none");
  const hex = toHex(digest);
  const stat = await Deno.lstat(`${base}/.chunks/${hex.slice(0, 4)}/${hex}`);
  assert.equal((stat.mode ?? 0) & 0o777, 0o644);
  assert.equal(await backend.renameCorruptChunk(digest), 0);
  assert.ok((await Deno.lstat(`${base}/.chunks/${hex.slice(0, 4)}/${hex}.0.bad`)).isFile);
  await Deno.remove(base, { recursive: true });
});

Deno.test("a duplicate leaves inode and mtime alone and advances atime", async () => {
  const base = await makeBase();
  const backend = new DirectoryBackend(base, `${base}/.locks`);
  const data = new Uint8Array([4, 5, 6]);
  const digest = sha256Sync(data);
  const blob = await encodeBlob(data);
  await backend.insertChunk(digest, blob, "none");
  const path = `${base}/.chunks/${chunkPath(digest)}`;
  await Deno.utime(path, 1_600_000_000, 1_500_000_000);
  const before = await Deno.lstat(path);
  await backend.insertChunk(digest, blob, "none");
  const after = await Deno.lstat(path);
  assert.equal(after.ino, before.ino);
  assert.equal(after.mtime?.getTime(), 1_500_000_000_000);
  assert.ok(Math.abs((after.atime?.getTime() ?? 0) - Date.now()) < 60_000);
  await Deno.remove(base, { recursive: true });
});

Deno.test("symlinks are neither listed as files nor followed", async () => {
  const base = await makeBase();
  const backend = new DirectoryBackend(base, `${base}/.locks`);
  await backend.createDirectory("vm/100");
  await Deno.symlink("/etc/passwd", `${base}/vm/100/a.blob`);
  await Deno.symlink("/etc", `${base}/vm/101`);
  assert.deepEqual(await backend.list("vm/100"), [{ name: "a.blob", kind: "other" }]);
  assert.equal(await backend.list("vm/101"), undefined);
  await assert.rejects(backend.readEntry("vm/100/a.blob", 1e6), /not a regular file/);
  await assert.rejects(backend.openEntry("vm/100/a.blob"), /not a regular file/);
  const digest = sha256Sync(new Uint8Array([9]));
  await Deno.mkdir(`${base}/.chunks/${chunkPath(digest).slice(0, 4)}`);
  await Deno.symlink("/etc/passwd", `${base}/.chunks/${chunkPath(digest)}`);
  await assert.rejects(
    backend.insertChunk(digest, await encodeBlob(new Uint8Array([9])), "none"),
    /unexpected file type/,
  );
  await assert.rejects(backend.readChunk(digest), /not a regular file/);
  const met = [];
  for await (const entry of backend.chunks()) met.push(entry);
  assert.deepEqual(met, []);
  await backend.removeTree("vm/101");
  assert.ok((await Deno.stat("/etc/passwd")).isFile);
  await Deno.remove(base, { recursive: true });
});

Deno.test("foreign names in the chunk store are not chunks", () => {
  const hex = "ab".repeat(32);
  assert.deepEqual(parseChunkName(hex), { hex });
  assert.deepEqual(parseChunkName(`${hex}.3.bad`), { hex, bad: 3 });
  for (
    const name of [`${hex}.tmp_aB3dE6`, `${hex}.10.bad`, hex.toUpperCase(), hex.slice(1), `${hex}.using`, "..", ""]
  ) {
    assert.equal(parseChunkName(name), undefined);
  }
});

Deno.test("temporary names replace the last extension", () => {
  assert.match(tempName("/b/vm/1.5/index.json.blob"), /^\/b\/vm\/1\.5\/index\.json\.tmp_[A-Za-z0-9]{6}$/);
  assert.match(tempName("vm/1.5/owner"), /^vm\/1\.5\/owner\.tmp_[A-Za-z0-9]{6}$/);
  assert.match(tempName("vm/1/.protected"), /^vm\/1\/\.protected\.tmp_[A-Za-z0-9]{6}$/);
});

Deno.test("ST-21 a file system without room for 65536 directories is named as the reason", () => {
  const error = failure(
    'unable to create a datastore in "/x"',
    Object.assign(new Error("Too many links"), { code: "EMLINK" }),
  );
  assert.match(error.message, /"\/x".*65536 sub-directories/);
});
