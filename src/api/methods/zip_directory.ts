/** A directory of a file archive as a zip file, written as a stream (PKWARE APPNOTE 6.3, with zip64 throughout). */
import { crc32, createDeflateRaw } from "node:zlib";
import { concatBytes, viewOf, writeU64 } from "../../base/bytes.ts";
import type { PxarAccessor, PxarDirectory } from "../../formats/pxar/accessor.ts";
import type { PxarEntry } from "../../formats/pxar/entry.ts";
import { contentOf } from "./archive_content.ts";

/** Sizes and checksum follow the data; names are UTF-8. */
const FLAGS = 0x0808;
const DEFLATED = 8;
const STORED = 0;
/** Version 4.5 (zip64), made on Unix. */
const VERSION_NEEDED = 45;
const MADE_BY = 0x0300 | VERSION_NEEDED;
const EXTENDED_TIME = 0x5455;
const ZIP64 = 0x0001;
/** Deepest directory that is followed. */
const MAX_DEPTH = 2048;

/** What the directory at the end says about an entry. */
interface Listed {
  readonly name: Uint8Array;
  readonly entry: PxarEntry;
  readonly method: number;
  readonly offset: number;
  crc: number;
  compressed: number;
  size: number;
}

/** Date and time of MS-DOS, UTC; the earliest is 1980. */
function dosTime(seconds: number): { time: number; date: number } {
  const when = new Date(Math.max(seconds, 315532800) * 1000);
  return {
    time: when.getUTCHours() << 11 | when.getUTCMinutes() << 5 | when.getUTCSeconds() >> 1,
    date: Math.min(when.getUTCFullYear() - 1980, 127) << 9 | (when.getUTCMonth() + 1) << 5 | when.getUTCDate(),
  };
}

/** Little-endian fields: [bytes, value] … */
function fields(...parts: readonly (readonly [2 | 4 | 8, number])[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, [size]) => sum + size, 0));
  const view = viewOf(bytes);
  let at = 0;
  for (const [size, value] of parts) {
    if (size === 2) view.setUint16(at, value, true);
    else if (size === 4) view.setUint32(at, value >>> 0, true);
    else writeU64(view, at, value);
    at += size;
  }
  return bytes;
}

function timeExtra(seconds: number): Uint8Array {
  const clamped = Math.max(-0x8000_0000, Math.min(0x7fff_ffff, seconds));
  return concatBytes(fields([2, EXTENDED_TIME], [2, 5]), Uint8Array.of(1), fields([4, clamped]));
}

function localHeader({ name, entry, method }: Listed): Uint8Array {
  const { time, date } = dosTime(entry.metadata.mtimeSec);
  // Zip64 fields of zero: they tell readers that the sizes behind the data have eight bytes.
  const extra = concatBytes(timeExtra(entry.metadata.mtimeSec), fields([2, ZIP64], [2, 16], [8, 0], [8, 0]));
  return concatBytes(
    fields([4, 0x04034b50], [2, VERSION_NEEDED], [2, FLAGS], [2, method], [2, time], [2, date], [4, 0]),
    fields([4, 0xffffffff], [4, 0xffffffff], [2, name.length], [2, extra.length]),
    name,
    extra,
  );
}

function descriptor({ crc, compressed, size }: Listed): Uint8Array {
  return fields([4, 0x08074b50], [4, crc], [8, compressed], [8, size]);
}

function centralEntry({ name, entry, method, offset, crc, compressed, size }: Listed): Uint8Array {
  const { time, date } = dosTime(entry.metadata.mtimeSec);
  const extra = concatBytes(
    timeExtra(entry.metadata.mtimeSec),
    fields([2, ZIP64], [2, 24], [8, size], [8, compressed], [8, offset]),
  );
  const attributes = (entry.metadata.mode & 0xffff) * 0x10000 + (entry.kind === "directory" ? 0x10 : 0);
  return concatBytes(
    fields([4, 0x02014b50], [2, MADE_BY], [2, VERSION_NEEDED], [2, FLAGS], [2, method], [2, time], [2, date]),
    fields([4, crc], [4, 0xffffffff], [4, 0xffffffff], [2, name.length], [2, extra.length], [2, 0], [2, 0], [2, 0]),
    fields([4, attributes], [4, 0xffffffff]),
    name,
    extra,
  );
}

function endRecords(count: number, start: number, length: number): Uint8Array {
  return concatBytes(
    fields([4, 0x06064b50], [8, 44], [2, MADE_BY], [2, VERSION_NEEDED], [4, 0], [4, 0]),
    fields([8, count], [8, count], [8, length], [8, start]),
    fields([4, 0x07064b50], [4, 0], [8, start + length], [4, 1]),
    fields([4, 0x06054b50], [2, 0xffff], [2, 0xffff], [2, 0xffff], [2, 0xffff], [4, 0xffffffff], [4, 0xffffffff], [
      2,
      0,
    ]),
  );
}

/** The deflated content; `listed` learns checksum and sizes. */
async function* deflated(content: AsyncIterable<Uint8Array>, listed: Listed): AsyncGenerator<Uint8Array, void, void> {
  const deflate = createDeflateRaw({ level: 1 });
  const feed = (async () => {
    for await (const part of content) {
      listed.crc = crc32(part, listed.crc);
      listed.size += part.length;
      if (!deflate.write(part)) await new Promise((resolve) => deflate.once("drain", resolve));
    }
    deflate.end();
  })();
  // A failure of the source ends the output too.
  feed.catch((error) => deflate.destroy(error));
  try {
    for await (const part of deflate) {
      listed.compressed += part.length;
      yield part;
    }
    await feed;
  } finally {
    deflate.destroy();
  }
}

/**
 * `directory` with everything below it as a zip file: directories and regular files (hard links as copies); other kinds
 * have no place in a zip file and are left out. Member names begin with `prefix`, where it is not empty.
 */
export async function* zipDirectory(
  archive: PxarAccessor,
  directory: PxarDirectory,
  prefix: Uint8Array,
): AsyncGenerator<Uint8Array, void, void> {
  const listed: Listed[] = [];
  let offset = 0;
  const slash = Uint8Array.of(0x2f);

  async function* member(name: Uint8Array, entry: PxarEntry): AsyncGenerator<Uint8Array, void, void> {
    const isFile = entry.kind === "file";
    const item: Listed = { name, entry, method: isFile ? DEFLATED : STORED, offset, crc: 0, compressed: 0, size: 0 };
    yield localHeader(item);
    if (isFile) {
      await archive.checkPayload(entry);
      yield* deflated(contentOf(archive, entry), item);
    }
    yield descriptor(item);
    listed.push(item);
  }

  async function* walk(at: PxarDirectory, path: Uint8Array, depth: number): AsyncGenerator<Uint8Array, void, void> {
    if (path.length > 0) yield* member(concatBytes(path, slash), at.entry);
    for await (const child of at.children()) {
      const name = path.length > 0 ? concatBytes(path, slash, child.name) : child.name;
      if (child.kind === "directory") {
        if (depth < MAX_DEPTH) yield* walk(await at.open(child), name, depth + 1);
      } else if (child.kind === "file") yield* member(name, child);
      else if (child.kind === "hardlink") yield* member(name, await archive.resolveHardlink(child));
    }
  }

  for await (const part of walk(directory, prefix, 0)) {
    offset += part.length;
    yield part;
  }
  const start = offset;
  for (const item of listed) {
    const record = centralEntry(item);
    offset += record.length;
    yield record;
  }
  yield endRecords(listed.length, start, offset - start);
}
