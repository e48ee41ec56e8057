/** A directory of a file archive as a zstd-compressed GNU tar, written as a stream. */
import { Buffer } from "node:buffer";
import { createZstdCompress } from "node:zlib";
import { concatBytes } from "../../base/bytes.ts";
import type { PxarAccessor, PxarDirectory } from "../../formats/pxar/accessor.ts";
import type { PxarEntry } from "../../formats/pxar/entry.ts";
import { FileType } from "../../formats/pxar/metadata.ts";
import { contentOf } from "./archive_content.ts";

const BLOCK = 512;
/** Room for a name or link target in a header; longer ones come in a record of their own before it. */
const NAME_FIELD = 100;
const MAX_DEPTH = 2048;

/** A number as octal digits, or in base 256 where these do not suffice. */
function numeric(value: number, length: number): Uint8Array {
  const octal = value.toString(8);
  if (value >= 0 && octal.length < length) return Buffer.from(`${octal.padStart(length - 1, "0")}\0`);
  const bytes = new Uint8Array(length);
  let rest = BigInt(value);
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  bytes[0] |= 0x80;
  return bytes;
}

interface Header {
  readonly name: Uint8Array;
  readonly type: string;
  readonly size?: number;
  readonly target?: Uint8Array;
  readonly entry?: PxarEntry;
}

function header({ name, type, size = 0, target, entry }: Header): Uint8Array {
  const block = new Uint8Array(BLOCK);
  block.set(name.subarray(0, NAME_FIELD), 0);
  block.set(numeric((entry?.metadata.mode ?? 0o644) & 0o7777, 8), 100);
  block.set(numeric(entry?.metadata.uid ?? 0, 8), 108);
  block.set(numeric(entry?.metadata.gid ?? 0, 8), 116);
  block.set(numeric(size, 12), 124);
  block.set(numeric(entry?.metadata.mtimeSec ?? 0, 12), 136);
  block.set(Buffer.from("        "), 148);
  block[156] = type.charCodeAt(0);
  if (target) block.set(target.subarray(0, NAME_FIELD), 157);
  block.set(Buffer.from("ustar  \0"), 257);
  block.set(numeric(entry?.major ?? 0, 8), 329);
  block.set(numeric(entry?.minor ?? 0, 8), 337);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return block;
}

function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK - size % BLOCK) % BLOCK);
}

/** A record that carries a long name (`L`) or link target (`K`) for the next header. */
function longRecord(type: "L" | "K", value: Uint8Array): Uint8Array {
  const content = concatBytes(value, Uint8Array.of(0));
  return concatBytes(
    header({ name: Buffer.from("././@LongLink"), type, size: content.length }),
    content,
    padding(content.length),
  );
}

function headers(item: Header): Uint8Array {
  return concatBytes(
    ...(item.target && item.target.length > NAME_FIELD ? [longRecord("K", item.target)] : []),
    ...(item.name.length > NAME_FIELD ? [longRecord("L", item.name)] : []),
    header(item),
  );
}

/** The tar stream before compression. */
async function* tarStream(
  archive: PxarAccessor,
  directory: PxarDirectory,
  prefix: Uint8Array,
): AsyncGenerator<Uint8Array> {
  const slash = Uint8Array.of(0x2f);
  /** Member names of files that hard links may lead to, by their place in the archive. */
  const written = new Map<number, Uint8Array>();

  async function* file(name: Uint8Array, entry: PxarEntry): AsyncGenerator<Uint8Array> {
    const first = written.get(entry.offset);
    if (first) {
      yield headers({ name, type: "1", target: first, entry });
      return;
    }
    await archive.checkPayload(entry);
    written.set(entry.offset, name);
    yield headers({ name, type: "0", size: entry.size, entry });
    yield* contentOf(archive, entry);
    yield padding(entry.size);
  }

  async function* member(name: Uint8Array, entry: PxarEntry): AsyncGenerator<Uint8Array> {
    switch (entry.kind) {
      case "file":
        yield* file(name, entry);
        break;
      case "hardlink":
        yield* file(name, await archive.resolveHardlink(entry));
        break;
      case "symlink":
        yield headers({ name, type: "2", target: entry.target, entry });
        break;
      case "device":
        yield headers({ name, type: (entry.metadata.mode & FileType.Mask) === FileType.Block ? "4" : "3", entry });
        break;
      case "fifo":
        yield headers({ name, type: "6", entry });
        break;
    }
  }

  async function* walk(at: PxarDirectory, path: Uint8Array, depth: number): AsyncGenerator<Uint8Array> {
    if (path.length > 0) yield headers({ name: concatBytes(path, slash), type: "5", entry: at.entry });
    for await (const child of at.children()) {
      const name = path.length > 0 ? concatBytes(path, slash, child.name) : child.name;
      if (child.kind !== "directory") yield* member(name, child);
      else if (depth < MAX_DEPTH) yield* walk(await at.open(child), name, depth + 1);
    }
  }

  yield* walk(directory, prefix, 0);
  yield new Uint8Array(2 * BLOCK);
}

/**
 * `directory` with everything below it as `.tar.zst`: all kinds of entries but sockets, which tar does not know; a hard
 * link whose file lies elsewhere comes as that file. Member names begin with `prefix`, where it is not empty.
 */
export async function* tarDirectory(
  archive: PxarAccessor,
  directory: PxarDirectory,
  prefix: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  const compress = createZstdCompress();
  const feed = (async () => {
    for await (const part of tarStream(archive, directory, prefix)) {
      if (!compress.write(part)) await new Promise((resolve) => compress.once("drain", resolve));
    }
    compress.end();
  })();
  feed.catch((error) => compress.destroy(error));
  try {
    yield* compress;
    await feed;
  } finally {
    compress.destroy();
  }
}
