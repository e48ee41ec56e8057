/** The store that a real PBS wrote: everything in it is listed and read as PBS does. */
import assert from "node:assert/strict";
import { toHex } from "../base/bytes.ts";
import { decodeBlob, isEncryptedBlob, verifyBlobCrc } from "../formats/blob.ts";
import { DynamicIndex } from "../formats/dynamic_index.ts";
import { FixedIndex } from "../formats/fixed_index.ts";
import { sha256 } from "../native/crypto.ts";
import { Datastore } from "./datastore.ts";
import type { SnapshotInfo, SnapshotRef } from "./types.ts";

interface ExpectedSnapshot {
  ns: string;
  key?: string;
  snapshot_list: Record<string, unknown> & {
    "backup-type": SnapshotRef["type"];
    "backup-id": string;
    "backup-time": number;
  };
  snapshot_files: unknown[];
  manifest_text: string;
  archives: Record<string, { file_sha256?: string; stream_sha256?: string; size: number }>;
}

const vectors = new URL("../../test/vectors/datastore/", import.meta.url);
const expected = JSON.parse(await Deno.readTextFile(new URL("expected.json", vectors)));

async function openGolden(): Promise<{ store: Datastore; root: string }> {
  const root = await Deno.makeTempDir({ prefix: "dozo-golden-" });
  const archive = new URL("golden.tar.zst", vectors).pathname;
  const { success } = await new Deno.Command("tar", {
    args: ["--zstd", "--no-same-owner", "-xf", archive, "-C", root],
  }).output();
  assert.ok(success, "unpacking the golden store");
  const options = { name: "golden", path: `${root}/golden`, lockDirectory: `${root}/locks` };
  return { store: await Datastore.open(options), root };
}

/** A listed snapshot in the words of the API. */
function inApiWords(info: SnapshotInfo): Record<string, unknown> {
  const words = {
    "backup-type": info.type,
    "backup-id": info.id,
    "backup-time": info.time,
    comment: info.comment,
    verification: info.verification && { ...info.verification },
    fingerprint: info.fingerprint,
    files: info.files.map(({ filename, cryptMode, size }) => plain({ filename, "crypt-mode": cryptMode, size })),
    size: info.size,
    protected: info.protected,
    owner: info.owner,
  };
  return plain(words);
}

function plain(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}

Deno.test("TM-10 ST-31 FF-19 the store of a real PBS lists as PBS lists it", async () => {
  const { store, root } = await openGolden();
  try {
    assert.deepEqual(
      await store.namespaces.list(),
      expected.namespaces.data.map(({ ns }: { ns: string }) => ns),
    );
    for (const ns of Object.keys(expected.groups)) {
      const groups = (await store.groups.list(ns)).map((group) =>
        plain({
          "backup-type": group.type,
          "backup-id": group.id,
          "backup-count": group.backupCount,
          "last-backup": group.lastBackup,
          files: [...group.files].sort(),
          owner: group.owner,
          comment: group.comment,
        })
      );
      const byName = (a: Record<string, unknown>, b: Record<string, unknown>) =>
        `${a["backup-type"]}/${a["backup-id"]}` < `${b["backup-type"]}/${b["backup-id"]}` ? -1 : 1;
      const wanted = expected.groups[ns].map((group: { files: string[] }) => ({
        ...group,
        files: group.files.toSorted(),
      }));
      assert.deepEqual(groups.toSorted(byName), wanted.toSorted(byName));
    }
    const snapshots: ExpectedSnapshot[] = expected.snapshots;
    const listed = [...await store.snapshots.list(""), ...await store.snapshots.list("a/b")];
    assert.equal(listed.length, snapshots.length);
    for (const { ns, snapshot_list: wanted, snapshot_files: files, manifest_text: text } of snapshots) {
      const found = listed.find((info) =>
        info.ns === ns && info.type === wanted["backup-type"] && info.id === wanted["backup-id"] &&
        info.time === wanted["backup-time"]
      );
      assert.ok(found);
      assert.deepEqual(inApiWords(found), wanted);
      const own = (await store.snapshots.files(found)).map(({ filename, cryptMode, size }) =>
        plain({ filename, "crypt-mode": cryptMode, size })
      );
      assert.deepEqual(own, files);
      assert.equal((await store.snapshots.manifest(found)).toText(), text);
    }
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("every archive and every chunk of a real PBS reads back", async () => {
  const { store, root } = await openGolden();
  try {
    for (const { ns, snapshot_list: names, archives } of expected.snapshots as ExpectedSnapshot[]) {
      const { "backup-type": type, "backup-id": id, "backup-time": time } = names;
      using reader = await store.snapshots.open({ ns, type, id, time });
      for (const [name, archive] of Object.entries(archives)) {
        const bytes = await reader.readFile(name);
        assert.ok(bytes, name);
        if (archive.file_sha256) assert.equal(toHex(await sha256(bytes)), archive.file_sha256);
        if (name.endsWith(".blob") || id === "broken") continue;
        const index = name.endsWith(".fidx") ? new FixedIndex(bytes) : new DynamicIndex(bytes);
        for (const { digest } of index.chunks()) assert.ok(await store.chunks.has(digest));
      }
    }
    let good = 0;
    let bad = 0;
    for await (const { digest, bad: number, size } of store.chunks.entries()) {
      if (number !== undefined) {
        bad++;
        continue;
      }
      good++;
      const blob = await store.chunks.read(digest);
      assert.equal(blob.length, size);
      await verifyBlobCrc(blob);
      if (!isEncryptedBlob(blob)) await decodeBlob(blob, { digest });
    }
    assert.equal(bad, 1);
    assert.equal(good + bad, expected.chunks.length);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});
