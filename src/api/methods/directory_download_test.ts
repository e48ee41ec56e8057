import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { crc32, inflateRawSync, zstdDecompressSync } from "node:zlib";
import { readU64, viewOf } from "../../base/bytes.ts";
import { PxarAccessor } from "../../formats/pxar/accessor.ts";
import { memorySource } from "../../formats/pxar/memory.ts";
import { tarDirectory } from "./tar_directory.ts";
import { zipDirectory } from "./zip_directory.ts";

const VECTORS = new URL("../../../test/vectors/pxar/", import.meta.url);

interface TreeEntry {
  readonly path: string | { readonly base64: string };
  readonly type: string;
  readonly mode: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly target?: string;
  readonly mtime_ns?: string;
}

function source(name: string) {
  return memorySource(new Uint8Array(zstdDecompressSync(Deno.readFileSync(new URL(name, VECTORS)))));
}

/** The vector's tree once from a plain and once from a split archive, by the path without its leading slash (latin1). */
function archives(): { archive: PxarAccessor; tree: Map<string, TreeEntry> }[] {
  const entries: TreeEntry[] = JSON.parse(Deno.readTextFileSync(new URL("tree.json", VECTORS)));
  const name = ({ path }: TreeEntry) =>
    (typeof path === "string" ? Buffer.from(path) : Buffer.from(path.base64, "base64")).toString("latin1").slice(1);
  const tree = new Map(entries.filter((entry) => entry.path !== "/").map((entry) => [name(entry), entry]));
  return [
    new PxarAccessor(source("tree.pxar.zst")),
    new PxarAccessor(source("tree.mpxar.zst"), source("tree.ppxar.zst")),
  ]
    .map((archive) => ({ archive, tree }));
}

async function collect(stream: AsyncIterable<Uint8Array>): Promise<Buffer<ArrayBuffer>> {
  return Buffer.concat(await Array.fromAsync(stream));
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** Members of a zip file by name, read through its directory at the end. */
function readZip(zip: Buffer<ArrayBuffer>): Map<string, Uint8Array> {
  const view = viewOf(zip);
  const end = zip.length - 22;
  assert.equal(view.getUint32(end, true), 0x06054b50);
  const end64 = readU64(view, end - 20 + 8);
  assert.equal(view.getUint32(end64, true), 0x06064b50);
  const members = new Map<string, Uint8Array>();
  let at = readU64(view, end64 + 48);
  for (let left = readU64(view, end64 + 32); left > 0; left--) {
    assert.equal(view.getUint32(at, true), 0x02014b50);
    const [names, extras] = [view.getUint16(at + 28, true), view.getUint16(at + 30, true)];
    const name = zip.toString("latin1", at + 46, at + 46 + names);
    const extra = at + 46 + names + 9 + 4;
    const [size, compressed, offset] = [0, 8, 16].map((more) => readU64(view, extra + more));
    const data = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
    const raw = zip.subarray(data, data + compressed);
    const content = view.getUint16(at + 10, true) === 8 ? inflateRawSync(raw) : raw;
    assert.equal(content.length, size, name);
    assert.equal(crc32(content), view.getUint32(at + 16, true), name);
    members.set(name, content);
    at += 46 + names + extras;
  }
  return members;
}

interface TarMember {
  readonly type: string;
  readonly mode: number;
  readonly target: string;
  readonly content: Uint8Array;
}

function readTar(tar: Buffer<ArrayBuffer>): Map<string, TarMember> {
  const members = new Map<string, TarMember>();
  const text = (from: number, length: number) => tar.toString("latin1", from, from + length).replace(/\0.*$/s, "");
  let longName: string | undefined, longTarget: string | undefined;
  let at = 0;
  while (tar[at] !== 0) {
    const block = Buffer.from(tar.subarray(at, at + 512));
    const sum = parseInt(text(at + 148, 8), 8);
    block.fill(0x20, 148, 156);
    assert.equal(block.reduce((total, byte) => total + byte, 0), sum);
    const size = parseInt(text(at + 124, 12), 8);
    const type = text(at + 156, 1);
    const content = tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
    if (type === "L") longName = content.toString("latin1", 0, size - 1);
    else if (type === "K") longTarget = content.toString("latin1", 0, size - 1);
    else {
      const start = at - 512 - Math.ceil(size / 512) * 512;
      const member = {
        type,
        mode: parseInt(text(start + 100, 8), 8),
        target: longTarget ?? text(start + 157, 100),
        content,
      };
      members.set(longName ?? text(start, 100), member);
      longName = longTarget = undefined;
    }
  }
  return members;
}

Deno.test("a directory downloads as a zip file with every directory and file, hard links as copies", async () => {
  for (const { archive, tree } of archives()) {
    const members = readZip(await collect(zipDirectory(archive, await archive.root(), new Uint8Array(0))));
    for (const [path, entry] of tree) {
      if (entry.type === "directory") assert.ok(members.delete(`${path}/`), path);
      else if (entry.type === "file" || entry.type === "hardlink") {
        const content = members.get(path);
        assert.ok(content && members.delete(path), path);
        if (entry.sha256) assert.equal(sha256(content), entry.sha256, path);
      }
    }
    assert.deepEqual([...members.keys()], [], "nothing else");
  }
});

Deno.test("a directory downloads as a compressed tar with every kind of entry but sockets", async () => {
  const types: Record<string, string> = { directory: "5", symlink: "2", chardev: "3", blockdev: "4", fifo: "6" };
  for (const { archive, tree } of archives()) {
    const compressed = await collect(tarDirectory(archive, await archive.root(), new Uint8Array(0)));
    const members = readTar(Buffer.from(zstdDecompressSync(compressed)));
    for (const [path, entry] of tree) {
      const name = entry.type === "directory" ? `${path}/` : path;
      const member = members.get(name);
      if (entry.type === "socket") {
        assert.equal(member, undefined, path);
        continue;
      }
      assert.ok(member && members.delete(name), path);
      if (entry.type !== "hardlink") assert.equal(member.mode, parseInt(entry.mode, 8) & 0o7777, path);
      if (entry.type in types) assert.equal(member.type, types[entry.type], path);
      if (entry.type === "symlink") assert.equal(member.target, entry.target, path);
      if (entry.sha256 && member.type === "0") assert.equal(sha256(member.content), entry.sha256, path);
    }
    assert.deepEqual([...members.keys()], [], "nothing else");
  }
});

Deno.test("the name of a downloaded directory comes first in its members", async () => {
  const [{ archive }] = archives();
  const name = new TextEncoder().encode("links");
  const entry = await archive.lookup([name]);
  assert.ok(entry);
  const members = readZip(await collect(zipDirectory(archive, await archive.openDirectory(entry), name)));
  assert.ok([...members.keys()].every((one) => one.startsWith("links/")));
  const tar = await collect(tarDirectory(archive, await archive.openDirectory(entry), name));
  const tarred = readTar(Buffer.from(zstdDecompressSync(tar)));
  assert.ok([...tarred.keys()].every((one) => one.startsWith("links/")));
});
