/**
 * The conformance suite of storage back ends: what `contract.ts` promises, tested from outside. Every implementation runs it
 * from its own test file with {@link testBackend}.
 */
import assert from "node:assert/strict";
import { encodeBlob } from "../../formats/blob.ts";
import { CryptKey } from "../../formats/crypt_key.ts";
import { sha256Sync } from "../../native/crypto.ts";
import type { StorageBackend } from "./contract.ts";

/** A fresh, empty store for one test. */
export interface BackendUnderTest {
  readonly backend: StorageBackend;
  /** A second, independent handle to the same store, as another process has it. */
  reopen(): StorageBackend;
  /** Makes a chunk look as if it was last used at `atime` (epoch seconds). */
  age(digest: Uint8Array, atime: number): Promise<void>;
  /** Replaces the stored bytes of a chunk, as damage does. */
  corrupt(digest: Uint8Array, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
  cleanUp(): Promise<void>;
}

type Register = (name: string, run: () => Promise<void>) => void;
type Check = (subject: BackendUnderTest) => Promise<void>;

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (data: Uint8Array | undefined) => data && new TextDecoder().decode(data);
const namesOf = async (backend: StorageBackend, path: string) =>
  (await backend.list(path))?.map(({ name, kind }) => `${name}:${kind}`).sort();

/** Registers the whole suite with `register` (`Deno.test`) under names that begin with `name`. */
export function testBackend(name: string, register: Register, make: () => Promise<BackendUnderTest>): void {
  for (const [title, check] of Object.entries({ ...entryChecks, ...chunkChecks })) {
    register(`${name}: ${title}`, async () => {
      const subject = await make();
      try {
        await check(subject);
      } finally {
        await subject.cleanUp();
      }
    });
  }
}

const entryChecks: Record<string, Check> = {
  "an entry is stored, replaced and removed": async ({ backend, reopen }) => {
    assert.equal(await backend.createDirectory("vm/100"), true);
    assert.equal(await backend.createDirectory("vm/100"), false);
    assert.equal(await backend.readEntry("vm/100/owner", 100), undefined);
    assert.equal(await backend.writeEntry("vm/100/owner", [bytes("a"), bytes("lice\n")]), true);
    assert.equal(textOf(await reopen().readEntry("vm/100/owner", 100)), "alice\n");
    await backend.writeEntry("vm/100/owner", [bytes("bob\n")], { durable: true });
    assert.equal(textOf(await backend.readEntry("vm/100/owner", 100)), "bob\n");
    assert.deepEqual(await namesOf(backend, "vm/100"), ["owner:file"]);
    assert.equal(await backend.removeEntry("vm/100/owner"), true);
    assert.equal(await backend.removeEntry("vm/100/owner"), false);
  },

  "an exclusive write keeps what is there": async ({ backend }) => {
    await backend.createDirectory("vm/100");
    assert.equal(await backend.writeEntry("vm/100/owner", [bytes("first")], { exclusive: true }), true);
    assert.equal(await backend.writeEntry("vm/100/owner", [bytes("second")], { exclusive: true }), false);
    assert.equal(textOf(await backend.readEntry("vm/100/owner", 100)), "first");
    assert.deepEqual(await namesOf(backend, "vm/100"), ["owner:file"]);
  },

  "of racing writers one wins whole": async ({ backend, reopen }) => {
    await backend.createDirectory("vm/1");
    const other = reopen();
    const contents = Array.from({ length: 16 }, (_, i) => String(i).repeat(5000));
    await Promise.all(
      contents.map((content, i) => (i % 2 ? backend : other).writeEntry("vm/1/index.json.blob", [bytes(content)])),
    );
    assert.ok(contents.includes(textOf(await backend.readEntry("vm/1/index.json.blob", 100000)) ?? ""));
    const exclusive = await Promise.all(
      contents.map((content, i) =>
        (i % 2 ? backend : other).writeEntry("vm/1/owner", [bytes(content)], { exclusive: true })
      ),
    );
    assert.equal(exclusive.filter(Boolean).length, 1);
    assert.deepEqual(await namesOf(backend, "vm/1"), ["index.json.blob:file", "owner:file"]);
  },

  "absence is no error, a limit is": async ({ backend }) => {
    assert.equal(await backend.list("vm"), undefined);
    assert.equal(await backend.stat("vm/100/owner"), undefined);
    assert.equal(await backend.openEntry("vm/100/owner"), undefined);
    await backend.removeTree("vm/100");
    assert.equal(await backend.removeDirectory("vm/100"), false);
    await backend.createDirectory("vm/100");
    await backend.writeEntry("vm/100/notes", [bytes("0123456789")]);
    await assert.rejects(backend.readEntry("vm/100/notes", 9));
    await assert.rejects(backend.writeEntry("host/nothing/owner", [bytes("x")]));
  },

  "an open entry is read anywhere": async ({ backend }) => {
    await backend.createDirectory("ct/1");
    await backend.writeEntry("ct/1/a.blob", [bytes("0123456789")]);
    const file = await backend.openEntry("ct/1/a.blob");
    assert.ok(file);
    assert.equal(file.size, 10);
    const buffer = new Uint8Array(4);
    assert.equal(await file.read(8, buffer), 2);
    assert.equal(textOf(buffer.subarray(0, 2)), "89");
    assert.equal(await file.read(20, buffer), 0);
    const both = [new Uint8Array(3), new Uint8Array(3)];
    await Promise.all([file.read(0, both[0]), file.read(5, both[1])]);
    assert.deepEqual(both.map(textOf), ["012", "567"]);
    assert.equal(textOf(await file.readAll()), "0123456789");
    await assert.rejects(file.readAll(5));
    file.close();
    file.close();
  },

  "the version of an entry changes with its content": async ({ backend }) => {
    await backend.createDirectory("vm/1");
    await backend.writeEntry("vm/1/a.blob", [bytes("one")]);
    const first = await backend.stat("vm/1/a.blob");
    assert.equal((await backend.stat("vm/1/a.blob"))?.version, first?.version);
    await backend.writeEntry("vm/1/a.blob", [bytes("two")]);
    const second = await backend.stat("vm/1/a.blob");
    assert.equal(first?.kind, "file");
    assert.equal(first?.size, 3);
    assert.notEqual(first?.version, second?.version);
    assert.ok(Math.abs((second?.mtime ?? 0) - Date.now() / 1000) < 100);
  },

  "a tree is removed, moved, and never its neighbour": async ({ backend }) => {
    for (const id of ["h1", "h12"]) {
      await backend.createDirectory(`host/${id}/2024-01-01T00:00:00Z`);
      await backend.writeEntry(`host/${id}/2024-01-01T00:00:00Z/a.blob`, [bytes(id)]);
    }
    assert.equal(await backend.removeDirectory("host/h1"), false);
    await backend.removeTree("host/h1");
    assert.equal(await backend.stat("host/h1"), undefined);
    assert.equal(textOf(await backend.readEntry("host/h12/2024-01-01T00:00:00Z/a.blob", 9)), "h12");
    await backend.createDirectory("host/h3");
    await backend.moveTree("host/h12/2024-01-01T00:00:00Z", "host/h3/2024-01-01T00:00:00Z");
    assert.equal(textOf(await backend.readEntry("host/h3/2024-01-01T00:00:00Z/a.blob", 9)), "h12");
    await backend.createDirectory("host/h12/2024-01-01T00:00:00Z");
    await assert.rejects(backend.moveTree("host/h12/2024-01-01T00:00:00Z", "host/h3/2024-01-01T00:00:00Z"));
    assert.equal(await backend.removeDirectory("host/h12/2024-01-01T00:00:00Z"), true);
    await assert.rejects(backend.removeTree(""));
  },

  "space and flush answer": async ({ backend }) => {
    const { total, used, avail } = await backend.space();
    assert.ok(total > 0 && used >= 0 && avail >= 0 && used <= total && avail <= total);
    await backend.flush();
  },
};

async function sample(text: string, options: { key?: CryptKey; compress?: boolean } = {}) {
  const data = bytes(text);
  return { digest: sha256Sync(data), blob: await encodeBlob(data, options) };
}

const chunkChecks: Record<string, Check> = {
  "a chunk is stored once and read back": async ({ backend, reopen }) => {
    const { digest, blob } = await sample("hello chunk");
    assert.equal(await backend.readChunk(digest), undefined);
    assert.equal(await backend.chunkSize(digest), undefined);
    assert.equal(await backend.touchChunk(digest), false);
    assert.deepEqual(await backend.insertChunk(digest, blob, "none"), { duplicate: false, size: blob.length });
    assert.deepEqual(await reopen().insertChunk(digest, blob, "file"), { duplicate: true, size: blob.length });
    assert.deepEqual(await backend.readChunk(digest), blob);
    assert.equal(await backend.chunkSize(digest), blob.length);
  },

  "racing inserts of one chunk agree": async ({ backend, reopen }) => {
    const { digest, blob } = await sample("race ".repeat(10_000), { compress: false });
    const stores = [backend, reopen(), reopen()];
    const results = await Promise.all(
      Array.from({ length: 12 }, (_, i) => stores[i % 3].insertChunk(digest, blob, "none")),
    );
    assert.ok(results.every(({ size }) => size === blob.length));
    assert.ok(results.some(({ duplicate }) => !duplicate));
    assert.deepEqual(await backend.readChunk(digest), blob);
    assert.deepEqual((await allChunks(backend)).length, 1);
  },

  "ST-70 a stored chunk is never replaced by a larger or an encrypted one": async ({ backend }) => {
    const key = CryptKey.fromRaw(new Uint8Array(32).fill(7));
    const small = await sample("text ".repeat(1000));
    const large = await sample("text ".repeat(1000), { compress: false });
    await backend.insertChunk(small.digest, small.blob, "none");
    const kept = await backend.insertChunk(small.digest, large.blob, "none");
    assert.deepEqual(kept, { duplicate: true, size: small.blob.length });
    assert.deepEqual(await backend.readChunk(small.digest), small.blob);
    await assert.rejects(backend.insertChunk(small.digest, (await sample("other", { key })).blob, "none"), /refus/);
    assert.deepEqual(await backend.readChunk(small.digest), small.blob);
  },

  "an unencrypted chunk is replaced by a smaller one, an empty file by anything": async ({ backend, corrupt }) => {
    const small = await sample("text ".repeat(1000));
    const large = await sample("text ".repeat(1000), { compress: false });
    await backend.insertChunk(large.digest, large.blob, "none");
    assert.deepEqual(await backend.insertChunk(large.digest, small.blob, "none"), {
      duplicate: false,
      size: small.blob.length,
    });
    await corrupt(small.digest, new Uint8Array());
    assert.equal((await backend.insertChunk(small.digest, large.blob, "none")).duplicate, false);
    assert.deepEqual(await backend.readChunk(small.digest), large.blob);
  },

  "of encrypted chunks the first one stays": async ({ backend }) => {
    const key = CryptKey.fromRaw(new Uint8Array(32).fill(7));
    const first = await sample("secret ".repeat(1000), { key });
    const longer = await sample("secret ".repeat(1000) + crypto.randomUUID(), { key });
    await backend.insertChunk(first.digest, first.blob, "none");
    const kept = await backend.insertChunk(first.digest, longer.blob, "none");
    assert.deepEqual(kept, { duplicate: true, size: first.blob.length });
    assert.deepEqual(await backend.readChunk(first.digest), first.blob);
    const plain = await sample("plain", { key, compress: false });
    await backend.insertChunk(plain.digest, plain.blob, "none");
    await assert.rejects(
      backend.insertChunk(plain.digest, (await sample("plainer", { key, compress: false })).blob, "none"),
      /refus/,
    );
  },

  "only an old chunk is removed, and every use makes it young": async ({ backend, reopen, age }) => {
    const { digest, blob } = await sample("age");
    await backend.insertChunk(digest, blob, "none");
    const now = Math.floor(Date.now() / 1000);
    assert.equal(await backend.removeChunk(digest, undefined, now - 1000), false);
    await age(digest, now - 5000);
    assert.equal(await reopen().touchChunk(digest), true);
    assert.equal(await backend.removeChunk(digest, undefined, now - 1000), false);
    await age(digest, now - 5000);
    assert.equal((await backend.insertChunk(digest, blob, "none")).duplicate, true);
    assert.equal(await backend.removeChunk(digest, undefined, now - 1000), false);
    await age(digest, now - 5000);
    assert.equal(await backend.removeChunk(digest, undefined, now - 1000), true);
    assert.equal(await backend.removeChunk(digest, undefined, now - 1000), false);
    assert.equal(await backend.readChunk(digest), undefined);
  },

  "a chunk that garbage collection races for is stored when the insert says so": async ({ backend, reopen, age }) => {
    const { digest, blob } = await sample("contended");
    const collector = reopen();
    for (let round = 0; round < 30; round++) {
      const now = Math.floor(Date.now() / 1000);
      await backend.insertChunk(digest, blob, "none");
      await age(digest, now - 5000);
      await Promise.all([
        collector.removeChunk(digest, undefined, now - 1000),
        backend.insertChunk(digest, blob, "none"),
      ]);
      assert.deepEqual(await backend.readChunk(digest), blob);
    }
  },

  "corrupt chunks are moved away, numbered and kept": async ({ backend }) => {
    const { digest, blob } = await sample("rot");
    assert.equal(await backend.renameCorruptChunk(digest), undefined);
    for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9]) {
      await backend.insertChunk(digest, blob, "none");
      assert.equal(await backend.renameCorruptChunk(digest), n);
      assert.equal(await backend.chunkSize(digest), undefined);
    }
    assert.equal(await backend.touchBadChunks(digest), 10);
    const entries = await allChunks(backend);
    assert.deepEqual(entries.map(({ bad }) => bad).sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(await backend.removeChunk(digest, 3, Date.now()), true);
    assert.equal(await backend.touchBadChunks(digest), 9);
  },

  "a walk meets every chunk once": async ({ backend, age }) => {
    const chunks = await Promise.all(Array.from({ length: 20 }, (_, i) => sample(`walk ${i}`)));
    for (const { digest, blob } of chunks) await backend.insertChunk(digest, blob, "none");
    await age(chunks[3].digest, 1_600_000_000);
    const entries = await allChunks(backend);
    assert.equal(entries.length, chunks.length);
    for (const { digest, blob } of chunks) {
      const entry = entries.find((entry) => String(entry.digest) === String(digest));
      assert.equal(entry?.size, blob.length);
      assert.equal(entry?.bad, undefined);
    }
    const aged = entries.find((entry) => String(entry.digest) === String(chunks[3].digest));
    assert.equal(aged?.atime, 1_600_000_000);
  },
};

async function allChunks(backend: StorageBackend) {
  const entries = [];
  for await (const entry of backend.chunks()) entries.push(entry);
  return entries;
}
