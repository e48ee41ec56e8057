import assert from "node:assert/strict";
import fc from "fast-check";
import { compareBytes } from "../../base/bytes.ts";
import { PxarAccessor } from "./accessor.ts";
import { PxarDecoder } from "./decoder.ts";
import { PxarEncoder } from "./encoder.ts";
import { MemorySink, memorySource } from "./memory.ts";
import type { Acl, Metadata } from "./metadata.ts";
import { pieces } from "./testing_vectors.ts";

type Tree = {
  readonly metadata: Metadata;
  readonly kind: "directory" | "file" | "symlink" | "device" | "fifo" | "socket";
  readonly data: Uint8Array;
  readonly children: readonly (readonly [Uint8Array, Tree])[];
};

const TYPE_BITS = {
  directory: 0o40000,
  file: 0o100000,
  symlink: 0o120000,
  device: 0o20000,
  fifo: 0o10000,
  socket: 0o140000,
};

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const plainBytes = (minLength: number, maxLength: number) =>
  bytes(minLength, maxLength).map((value) => value.map((byte) => byte === 0 || byte === 0x2f ? 0x61 : byte));
const nameOf = plainBytes(1, 40).filter((name) => name[0] !== 0x2e);
const permissions = fc.integer({ min: 0, max: 7 });
const absent = fc.option(permissions, { nil: undefined });
const aclEntries = fc.array(
  fc.record({ id: fc.integer({ min: 0, max: 2 ** 32 - 1 }), permissions }, { noNullPrototype: true }),
  { maxLength: 3 },
);
const acl: fc.Arbitrary<Acl> = fc.record({
  users: aclEntries,
  groups: aclEntries,
  groupObj: permissions,
  default: fc.record({ user: permissions, group: absent, other: permissions, mask: absent }, { noNullPrototype: true }),
  defaultUsers: aclEntries,
  defaultGroups: aclEntries,
}, { noNullPrototype: true });
const metadataOf = (type: number): fc.Arbitrary<Metadata> =>
  fc.record({
    mode: fc.integer({ min: 0, max: 0o7777 }).map((mode) => type | mode),
    flags: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    uid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    gid: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    mtimeSec: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }),
    mtimeNsec: fc.integer({ min: 0, max: 999_999_999 }),
    xattrs: fc.array(fc.record({ name: plainBytes(1, 20), value: bytes(0, 30) }, { noNullPrototype: true }), {
      minLength: 1,
      maxLength: 3,
    }),
    acl,
    fcaps: bytes(0, 24),
    projectId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
  }, { noNullPrototype: true, requiredKeys: ["mode", "flags", "uid", "gid", "mtimeSec", "mtimeNsec"] });

const { tree } = fc.letrec<{ tree: Tree; directory: Tree; leaf: Tree }>((tie) => ({
  leaf: fc.constantFrom("file", "symlink", "device", "fifo", "socket").chain((kind) =>
    fc.record({
      kind: fc.constant(kind as Tree["kind"]),
      metadata: metadataOf(TYPE_BITS[kind as Tree["kind"]]),
      data: kind === "symlink" ? plainBytes(1, 100) : bytes(0, 200),
      children: fc.constant([]),
    })
  ),
  directory: fc.record({
    kind: fc.constant("directory" as const),
    metadata: metadataOf(TYPE_BITS.directory),
    data: fc.constant(new Uint8Array(0)),
    children: fc.uniqueArray(fc.tuple(nameOf, fc.oneof({ maxDepth: 3 }, tie("leaf"), tie("directory"))), {
      maxLength: 6,
      selector: ([name]) => name.join(),
    }),
  }),
  tree: tie("directory"),
}));

function encode(encoder: PxarEncoder, name: Uint8Array | undefined, { kind, metadata, data, children }: Tree): void {
  if (kind === "directory") {
    if (name) encoder.enter(name, metadata);
    else encoder.root(metadata);
    const sorted = [...children].sort(([a], [b]) => compareBytes(a, b));
    for (const [childName, child] of sorted) encode(encoder, childName, child);
    if (name) encoder.leave();
    else encoder.finish();
    return;
  }
  if (!name) return;
  if (kind === "file") {
    encoder.file(name, metadata, data.length);
    encoder.dataSink.write(data);
  } else if (kind === "symlink") encoder.symlink(name, metadata, data);
  else if (kind === "device") encoder.device(name, metadata, data.length, 7);
  else encoder.special(name, metadata);
}

Deno.test("whatever tree is encoded comes back, read in order and at random, in both versions", async () => {
  const property = fc.asyncProperty(tree, fc.boolean(), fc.integer({ min: 1, max: 300 }), async (root, split, size) => {
    const archive = new MemorySink(), payload = new MemorySink();
    encode(new PxarEncoder(archive, split ? { payload } : {}), undefined, root);
    const decoder = new PxarDecoder(pieces(archive.bytes(), size), {
      payload: split ? pieces(payload.bytes(), size) : undefined,
    });
    const accessor = new PxarAccessor(memorySource(archive.bytes()), split ? memorySource(payload.bytes()) : undefined);
    const path: Uint8Array[] = [];
    const compare = async (name: Uint8Array | undefined, expected: Tree): Promise<void> => {
      const event = await decoder.next();
      assert.ok(event.type === "entry");
      const { entry } = event;
      assert.equal(entry.kind, expected.kind);
      assert.deepEqual(entry.metadata, expected.metadata);
      if (name) {
        assert.deepEqual(entry.name, name);
        path.push(name);
      }
      const found = await accessor.lookup(path);
      assert.equal(found?.offset, entry.offset);
      assert.deepEqual(found?.metadata, expected.metadata);
      if (entry.kind === "file") {
        assert.deepEqual(await decoder.data(), expected.data);
        assert.deepEqual(await accessor.readFile(entry, 0, expected.data.length), expected.data);
      }
      if (entry.kind === "symlink") assert.deepEqual(entry.target, expected.data);
      if (entry.kind === "device") assert.deepEqual([entry.major, entry.minor], [expected.data.length, 7]);
      if (entry.kind === "directory") {
        for (const [childName, child] of [...expected.children].sort(([a], [b]) => compareBytes(a, b))) {
          await compare(childName, child);
        }
        assert.equal((await decoder.next()).type, "leave");
      }
      if (name) path.pop();
    };
    await compare(undefined, root);
    assert.equal((await decoder.next()).type, "end");
  });
  await fc.assert(property, { numRuns: 150 });
});

Deno.test("arbitrary bytes are refused, never crash", async () => {
  await fc.assert(
    fc.asyncProperty(bytes(0, 500), async (garbage) => {
      const decoder = new PxarDecoder(pieces(garbage, 50));
      await assert.rejects(async () => {
        while ((await decoder.next()).type !== "end");
      });
      await assert.rejects(new PxarAccessor(memorySource(garbage)).root());
    }),
    { numRuns: 200 },
  );
});

Deno.test("a directory of 200,000 entries is encoded, read and looked up", async () => {
  const archive = new MemorySink();
  const encoder = new PxarEncoder(archive);
  const metadata: Metadata = { mode: 0o100644, flags: 0, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 0 };
  encoder.root({ ...metadata, mode: 0o40755 });
  const text = new TextEncoder();
  const count = 200_000;
  for (let i = 0; i < count; i++) encoder.file(text.encode(`f${i}`), metadata, 0);
  encoder.finish();
  const decoder = new PxarDecoder(pieces(archive.bytes(), 1 << 20));
  let entries = 0;
  for (;;) {
    const event = decoder.tryNext();
    if (!event) await decoder.more();
    else if (event.type === "end") break;
    else if (event.type === "entry") entries++;
  }
  assert.equal(entries, count + 1);
  const accessor = new PxarAccessor(memorySource(archive.bytes()));
  assert.ok(await accessor.lookup([text.encode("f177777")]));
  assert.equal(await accessor.lookup([text.encode("f200000")]), undefined);
});
