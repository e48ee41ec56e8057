import assert from "node:assert/strict";
import { encodeBlob } from "../formats/blob.ts";
import { Manifest } from "../formats/manifest.ts";
import { sha256Sync } from "../native/crypto.ts";
import type { StorageBackend } from "./backend/contract.ts";
import { DirectoryBackend } from "./backend/directory.ts";
import { beginBackup } from "./backup_begin.ts";
import { ChunkStore } from "./chunk_store.ts";
import { LockDirectory } from "./locks/lock_directory.ts";
import { makeTestStore } from "./testing.ts";
import type { SyncLevel } from "./types.ts";

/** A back end that writes down what it is asked to make durable, and when. */
function spyOn(backend: StorageBackend, events: string[]): StorageBackend {
  return new Proxy(backend, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        if (name === "flush") events.push("flush");
        if (name === "insertChunk") events.push(`chunk ${args[2]}`);
        if (name === "writeEntry") {
          const durable = (args[2] as { durable?: boolean } | undefined)?.durable ?? false;
          events.push(`${String(args[0]).split("/").at(-1)}${durable ? " durable" : ""}`);
        }
        return Reflect.apply(member, target, args);
      };
    },
  });
}

async function eventsOfBackup(syncLevel: SyncLevel): Promise<string[]> {
  const { path, options, cleanUp } = await makeTestStore();
  const events: string[] = [];
  const locks = new LockDirectory(`${options.lockDirectory}/test`);
  const backend = spyOn(new DirectoryBackend(path, locks.path), events);
  const store = { name: "test", backend, locks, processLock: `${path}/.lock`, syncLevel };
  const snapshot = { ns: "", type: "host", id: "h1", time: 1000 } as const;
  const writer = await beginBackup(store, { snapshot, caller: "alice@pbs" });
  const data = new Uint8Array([1, 2, 3]);
  await new ChunkStore(backend, syncLevel).insert(sha256Sync(data), await encodeBlob(data));
  await writer.write("a.conf.blob", [await encodeBlob(data)]);
  await writer.write("index.json.blob", [await Manifest.create(snapshot).encode()]);
  await writer.finish({ count: 1, size: 3, compressedSize: 15, duplicates: 0 });
  await cleanUp();
  return events;
}

Deno.test("ST-55 sync-level none syncs nothing, file each chunk, filesystem once; data is safe before the manifest is there", async () => {
  const before = ["owner", "chunk none", "a.conf.blob"];
  assert.deepEqual(await eventsOfBackup("none"), [...before, "index.json.blob"]);
  const after = ["flush", "index.json.blob durable"];
  assert.deepEqual(await eventsOfBackup("filesystem"), ["owner", "chunk filesystem", "a.conf.blob", ...after]);
  // Indexes and blobs are not synced one by one: that is left to the flush at the end.
  assert.deepEqual(await eventsOfBackup("file"), ["owner", "chunk file", "a.conf.blob", ...after]);
});
