import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { fromHex, toHex } from "../../base/bytes.ts";
import { PxarAccessor } from "./accessor.ts";
import { PxarDecoder } from "./decoder.ts";
import { PxarEncoder } from "./encoder.ts";
import { MemorySink, memorySource } from "./memory.ts";
import { type Metadata, newAcl } from "./metadata.ts";
import { recode } from "./testing_recode.ts";
import { jsonVector, pieces, vector } from "./testing_vectors.ts";

const text = new TextEncoder();
const name = (value: string) => text.encode(value);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const plain = (mode: number): Metadata => ({ mode, flags: 0, uid: 0, gid: 0, mtimeSec: 1700000000, mtimeNsec: 0 });

/** The sample tree of the format's description (§13). */
function sampleTree(encoder: PxarEncoder): void {
  const file = (path: string, metadata: Metadata, data: string) => {
    encoder.file(name(path), metadata, data.length);
    encoder.dataSink.write(text.encode(data));
  };
  encoder.root(plain(0o40755));
  file("a.txt", {
    ...plain(0o100644),
    uid: 1000,
    gid: 1000,
    mtimeSec: 1700000001,
    mtimeNsec: 500000000,
    xattrs: [{ name: name("user.comment"), value: name("hi") }],
  }, "hello\n");
  encoder.hardlink(name("b-link"), name("a.txt"), encoder.split ? 126 : 56);
  encoder.device(name("dev"), plain(0o20600), 1, 3);
  file("empty", plain(0o100600), "");
  encoder.special(name("fifo"), plain(0o10644));
  encoder.symlink(name("old"), { ...plain(0o120777), mtimeSec: -305112601, mtimeNsec: 999000000 }, name("a.txt"));
  encoder.special(name("sock"), plain(0o140755));
  encoder.enter(name("sub"), {
    ...plain(0o40770),
    flags: 0x20000,
    acl: {
      ...newAcl(),
      users: [{ id: 1001, permissions: 7 }],
      groups: [{ id: 2001, permissions: 5 }],
      groupObj: 5,
      default: { user: 7, group: 5, other: 0, mask: 7 },
      defaultUsers: [{ id: 1001, permissions: 6 }],
      defaultGroups: [{ id: 2001, permissions: 4 }],
    },
  });
  const fcaps = fromHex("0100000200200000000000000000000000000000");
  file("prog", { ...plain(0o100755), fcaps, projectId: 42 }, "#!/bin/sh\n");
  encoder.leave();
  encoder.finish();
}

Deno.test("FF-01 FF-02 FF-05 FF-06 the sample tree encodes to the published streams", () => {
  const expected = jsonVector<{ pxar: Record<string, string> }>("spec/test-vectors.json").pxar;
  const v1 = new MemorySink();
  sampleTree(new PxarEncoder(v1));
  assert.equal(toHex(v1.bytes()), expected.v1);
  const meta = new MemorySink(), payload = new MemorySink();
  sampleTree(new PxarEncoder(meta, { payload, prelude: text.encode('{"exclude-patterns":"*.tmp\\n"}') }));
  assert.equal(toHex(meta.bytes()), expected.v2_meta);
  assert.equal(toHex(payload.bytes()), expected.v2_payload);
  assert.deepEqual(payload.boundaries, [16, 38, 54]);
});

Deno.test("a large payload stream is the headers and the data", () => {
  const payload = new MemorySink();
  const encoder = new PxarEncoder(new MemorySink(), { payload });
  const hash = createHash("sha256");
  const data = new Uint8Array(1 << 20);
  let done = 0;
  const drain = () => {
    hash.update(payload.bytes().subarray(done));
    done = payload.bytes().length;
  };
  encoder.root(plain(0o40755));
  for (let d = 0; d < 2; d++) {
    encoder.enter(name(`d${d}`), plain(0o40755));
    for (let f = 0; f < 2; f++) {
      encoder.file(name(`f${f}`), plain(0o100644), data.length);
      encoder.dataSink.write(data);
      drain();
    }
    encoder.leave();
  }
  encoder.finish();
  drain();
  assert.equal(done, encoder.payloadPosition);
  assert.equal(done, 16 + 4 * (16 + data.length) + 16);
});

interface Archive {
  file: string;
  sha256: string;
}

Deno.test("FF-01 FF-05 FF-06 PX-15 decoding and encoding the real tool's archives gives the same bytes, for any piece size", async () => {
  const small = jsonVector<{ archives: { archive: Archive; payload?: Archive }[] }>("pxar/small.json").archives;
  const tree = jsonVector<Record<string, { sha256: string }>>("pxar/tree.items.json");
  const all = [
    ...small,
    { archive: { file: "tree.pxar.zst", sha256: tree["tree.pxar"].sha256 } },
    {
      archive: { file: "tree.mpxar.zst", sha256: tree["tree.mpxar"].sha256 },
      payload: { file: "tree.ppxar.zst", sha256: tree["tree.ppxar"].sha256 },
    },
  ];
  for (const { archive, payload } of all as { archive: Archive; payload?: Archive }[]) {
    const bytes = vector(`pxar/${archive.file}`);
    const data = payload && vector(`pxar/${payload.file}`);
    for (const size of bytes.length > 100000 ? [4096, 1 << 22] : [1, 7, 61, 4096]) {
      const decoder = new PxarDecoder(pieces(bytes, size), { payload: data && pieces(data, size + 3) });
      const again = await recode(decoder, data !== undefined);
      assert.equal(sha256(again.archive), archive.sha256, `${archive.file} in pieces of ${size}`);
      if (payload) assert.equal(sha256(again.payload), payload.sha256, payload.file);
    }
  }
});

Deno.test("FF-04 random access finds every path and its content", async () => {
  const small = jsonVector<{ archives: { archive: Archive; payload?: Archive }[] }>("pxar/small.json").archives;
  const all = [
    ...small.map(({ archive, payload }) => [archive.file, payload?.file]),
    ["tree.pxar.zst"],
    ["tree.mpxar.zst", "tree.ppxar.zst"],
  ];
  for (const [archive, payload] of all) {
    const bytes = vector(`pxar/${archive}`);
    const data = payload ? vector(`pxar/${payload}`) : undefined;
    const accessor = new PxarAccessor(memorySource(bytes), data && memorySource(data));
    const decoder = new PxarDecoder(pieces(bytes, 4096), { payload: data && pieces(data, 4096) });
    const path: Uint8Array[] = [];
    for (let event = await decoder.next(); event.type !== "end"; event = await decoder.next()) {
      if (event.type === "leave") path.pop();
      if (event.type !== "entry") continue;
      const { entry } = event;
      if (entry.offset > 0) path.push(entry.name);
      const found = await accessor.lookup(path);
      assert.ok(found, `${archive}: ${path.map((part) => toHex(part)).join("/")}`);
      assert.equal(found.offset, entry.offset);
      assert.deepEqual(found.metadata, entry.metadata);
      if (entry.kind === "file") {
        await accessor.checkPayload(found);
        assert.deepEqual(await accessor.readFile(found, 0, entry.size), await decoder.data());
      } else if (entry.kind === "hardlink") {
        const target = await accessor.resolveHardlink(found);
        assert.equal(target.offset, entry.linkOffset);
      } else if (entry.kind === "directory") {
        const directory = await accessor.openDirectory(found);
        const names = await Array.fromAsync(directory.children(), (child) => toHex(child.name));
        assert.equal(names.length, directory.count);
        const tableNames = await Array.fromAsync(directory.children("table"), (child) => toHex(child.name));
        assert.deepEqual(tableNames.sort(), names.sort());
      }
      if (entry.kind !== "directory") path.pop();
    }
    assert.equal(await accessor.lookup([name("does not exist")]), undefined);
  }
});

Deno.test("the prelude of a split archive is readable at random", async () => {
  const accessor = new PxarAccessor(memorySource(vector("pxar/small/exclude-cli-split.mpxar")));
  const prelude = new TextDecoder().decode(await accessor.prelude());
  assert.deepEqual(JSON.parse(prelude), { "exclude-patterns": "*.log\n!logs/b.log\nsub/\n/scoped/in/own\n" });
});

Deno.test("FF-02 an entry in the obsolete form is read, with its mtime in nanoseconds", async () => {
  const decoder = new PxarDecoder(pieces(vector("pxar/malformed/entry-obsolete.pxar"), 100));
  const good = new PxarDecoder(pieces(vector("pxar/malformed/good.pxar"), 100));
  const entries = async (from: PxarDecoder) => {
    const found = new Map<string, Metadata>();
    for (let event = await from.next(); event.type !== "end"; event = await from.next()) {
      if (event.type === "entry") found.set(new TextDecoder().decode(event.entry.name), event.entry.metadata);
    }
    return found;
  };
  const expected = await entries(good);
  const found = await entries(decoder);
  for (const [path, metadata] of expected) assert.deepEqual(found.get(path), metadata, path);
  const added = [...found.keys()].filter((path) => !expected.has(path));
  assert.equal(added.length, 1);
  const { mode, mtimeSec, mtimeNsec } = found.get(added[0]) as Metadata;
  assert.equal(mode, 0o100644);
  assert.ok(mtimeSec > 1_000_000_000 && mtimeNsec < 1_000_000_000);
});
