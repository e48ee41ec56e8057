/** Random access to an archive through its directory tables (`spec/pxar.md` §5), version 1 and 2. */
import { bytesEqual, viewOf } from "../../base/bytes.ts";
import { FormatError } from "../../base/errors.ts";
import { PxarDecoder } from "./decoder.ts";
import type { PxarEntry } from "./entry.ts";
import { findRecords, type GoodbyeRecord, readRecord, readTail, RECORD_SIZE } from "./goodbye.ts";
import { contentSizeOf, HEADER_SIZE, ItemType, itemTypeOf } from "./items.ts";
import type { RandomSource, SequentialSource } from "./sink.ts";
import { hashHalves, nameHash } from "./siphash.ts";

/** Bytes read at once when entries are looked at. */
const BLOCK_SIZE = 64 * 1024;

/** Largest directory table that is held in memory: 10 million entries. */
const TABLE_MAX = 10_000_000 * RECORD_SIZE;

/** An open archive. Nothing is kept but the sources: caching is theirs. */
export class PxarAccessor {
  readonly #archive: RandomSource;
  readonly #payload?: RandomSource;

  /** `payload` is needed for the contents of split archives only. */
  constructor(archive: RandomSource, payload?: RandomSource) {
    this.#archive = archive;
    this.#payload = payload;
  }

  /** The root directory. Throws {@link FormatError} when the stream does not end as an archive. */
  root(): Promise<PxarDirectory> {
    return this.#openDirectory(this.#archive.size, undefined);
  }

  /** A sequential reader over the whole archive; contents of split archives only when the payload stream is there. */
  sequential(): PxarDecoder {
    const payload = this.#payload && sequentialSource(this.#payload, 0);
    return new PxarDecoder(sequentialSource(this.#archive, 0), { payload, metadataOnly: !payload });
  }

  /** The PRELUDE of a split archive, if it has one. */
  async prelude(): Promise<Uint8Array | undefined> {
    const event = await this.sequential().next();
    return event.type === "prelude" ? event.content : undefined;
  }

  /** The directory of a `directory` entry that {@link PxarDirectory} delivered. */
  openDirectory(entry: AccessorEntry): Promise<PxarDirectory> {
    if (entry.kind !== "directory") throw new FormatError("pxar: not a directory", { offset: entry.offset });
    return entry.offset === 0 ? this.root() : this.#openDirectory(entry.end, entry);
  }

  async #openDirectory(end: number, entry: AccessorEntry | undefined): Promise<PxarDirectory> {
    const lowest = entry ? entry.offset : 0;
    if (end - lowest < HEADER_SIZE + RECORD_SIZE || end > this.#archive.size) {
      throw new FormatError("pxar: directory is too short for its table", { offset: end });
    }
    const tail = readTail(viewOf(await this.#archive.read(end - RECORD_SIZE, RECORD_SIZE)), 0, end - RECORD_SIZE);
    const recordBytes = tail.size - HEADER_SIZE - RECORD_SIZE;
    if (recordBytes < 0 || recordBytes % RECORD_SIZE !== 0 || recordBytes > TABLE_MAX || tail.size > end - lowest) {
      throw new FormatError(`pxar: directory table of ${tail.size} bytes`, { offset: end - RECORD_SIZE });
    }
    const at = end - tail.size;
    if (tail.offset > at - lowest) {
      throw new FormatError("pxar: directory table points before its directory", { offset: end - RECORD_SIZE });
    }
    const table = await this.#archive.read(at, tail.size);
    const view = viewOf(table);
    if (
      itemTypeOf(view, 0, at) !== ItemType.Goodbye || contentSizeOf(view, 0, ItemType.Goodbye, at) !== tail.size - 16
    ) {
      throw new FormatError("pxar: directory table has a wrong header", { offset: at });
    }
    const records = new DataView(table.buffer, table.byteOffset + HEADER_SIZE, recordBytes);
    const self = entry ?? await this.#rootEntry();
    return new PxarDirectory(this, this.#archive, self, at, records);
  }

  async #rootEntry(): Promise<AccessorEntry> {
    const decoder = new PxarDecoder(sequentialSource(this.#archive, 0), { metadataOnly: true });
    for (;;) {
      const event = await decoder.next();
      if (event.type === "entry") return Object.assign(event.entry, { end: this.#archive.size });
    }
  }

  /** The regular file that a hardlink entry stands for. Throws {@link FormatError} when it leads anywhere else. */
  async resolveHardlink(link: PxarEntry): Promise<PxarEntry> {
    const offset = link.linkOffset ?? -1;
    if (link.kind !== "hardlink" || offset <= 0 || offset >= link.offset) {
      throw new FormatError("pxar: hardlink to outside of the archive", { offset: link.offset });
    }
    const target = await readEntry(this.#archive, offset);
    if (target.kind !== "file") throw new FormatError("pxar: hardlink to something else than a file", { offset });
    return target;
  }

  /**
   * The entry at `path` (components, without `/`), or undefined when it is not there. The empty path is the root.
   */
  async lookup(path: readonly Uint8Array[]): Promise<AccessorEntry | undefined> {
    let directory = await this.root();
    let entry = directory.entry;
    for (const [depth, name] of path.entries()) {
      if (depth > 0) {
        if (entry.kind !== "directory") return undefined;
        directory = await this.openDirectory(entry);
      }
      const found = await directory.lookup(name);
      if (!found) return undefined;
      entry = found;
    }
    return entry;
  }

  /**
   * Checks that a file's PAYLOAD header is where its entry says and has its size; for split archives, before contents
   * are read at `dataOffset`. Throws {@link FormatError} otherwise.
   */
  async checkPayload(file: PxarEntry): Promise<void> {
    const at = file.dataOffset - HEADER_SIZE;
    const source = this.#payload ?? this.#archive;
    if (file.kind !== "file" || file.dataOffset + file.size > source.size) {
      throw new FormatError("pxar: file content beyond the end of its stream", { offset: file.offset });
    }
    const header = viewOf(await source.read(at, HEADER_SIZE));
    const type = itemTypeOf(header, 0, at);
    if (type !== ItemType.Payload || contentSizeOf(header, 0, type, at) !== file.size) {
      throw new FormatError("pxar: payload is not what its reference says", { offset: at });
    }
  }

  /** `length` bytes at `offset` of a file's content, cut at its end. Check it once with {@link checkPayload}. */
  readFile(file: PxarEntry, offset: number, length: number): Promise<Uint8Array> {
    const end = Math.min(file.size, offset + length);
    const source = this.#payload ?? this.#archive;
    if (file.kind !== "file" || file.dataOffset + file.size > source.size) {
      throw new FormatError("pxar: file content beyond the end of its stream", { offset: file.offset });
    }
    if (offset >= end) return Promise.resolve(new Uint8Array(0));
    return source.read(file.dataOffset + offset, end - offset);
  }
}

/** An entry found through a directory table: knows where it ends. */
export type AccessorEntry = PxarEntry & {
  /** Stream offset behind the entry, as the table says; that of a directory is the end of its own table. */
  readonly end: number;
};

/** A directory with its table in memory (24 bytes per child). */
export class PxarDirectory {
  readonly #accessor: PxarAccessor;
  readonly #archive: RandomSource;
  readonly #at: number;
  readonly #records: DataView;
  readonly entry: AccessorEntry;

  /** Use {@link PxarAccessor.root} or {@link PxarAccessor.openDirectory}. */
  constructor(
    accessor: PxarAccessor,
    archive: RandomSource,
    entry: AccessorEntry,
    at: number,
    records: DataView,
  ) {
    this.#accessor = accessor;
    this.#archive = archive;
    this.entry = entry;
    this.#at = at;
    this.#records = records;
  }

  /** Number of children. */
  get count(): number {
    return this.#records.byteLength / RECORD_SIZE;
  }

  /** The child called `name`, by its hash and then its real name; undefined when there is none. */
  async lookup(name: Uint8Array): Promise<AccessorEntry | undefined> {
    nameHash(name);
    for (const index of findRecords(this.#records, hashHalves[0], hashHalves[1])) {
      const record = readRecord(this.#records, index);
      const start = this.#startOf(record);
      const entry = await readEntry(this.#archive, start);
      if (bytesEqual(entry.name, name)) return Object.assign(entry, { end: this.#endOf(start, record, entry) });
    }
    return undefined;
  }

  /** All children in table order (`"table"`, as the reference lists them) or in archive order. */
  async *children(order: "table" | "archive" = "archive"): AsyncGenerator<AccessorEntry, void, void> {
    const starts: { start: number; record: GoodbyeRecord }[] = [];
    for (let i = 0; i < this.count; i++) {
      const record = readRecord(this.#records, i);
      starts.push({ start: this.#startOf(record), record });
    }
    if (order === "archive") starts.sort((a, b) => a.start - b.start);
    let decoder: PxarDecoder | undefined;
    for (const { start, record } of starts) {
      if (!decoder || decoder.position > start) {
        decoder = new PxarDecoder(sequentialSource(this.#archive, start), { metadataOnly: true, startAt: start });
      } else decoder.seekEntry(start);
      const event = await decoder.next();
      if (event.type !== "entry") throw new FormatError("pxar: directory table leads to no entry", { offset: start });
      yield Object.assign(event.entry, { end: this.#endOf(start, record, event.entry) });
    }
  }

  /** Opens a child directory. */
  open(child: AccessorEntry): Promise<PxarDirectory> {
    return this.#accessor.openDirectory(child);
  }

  #startOf(record: GoodbyeRecord): number {
    const start = this.#at - record.offset;
    if (record.offset <= 0 || start <= this.entry.offset || start < HEADER_SIZE) {
      throw new FormatError("pxar: directory table points outside of its directory", { offset: this.#at });
    }
    return start;
  }

  /** For files the size may count data that is elsewhere (§5), so only a directory's end is held against the table. */
  #endOf(start: number, record: GoodbyeRecord, entry: PxarEntry): number {
    const end = start + record.size;
    if (entry.kind === "directory" && end > this.#at) {
      throw new FormatError("pxar: directory reaches beyond its parent", { offset: start });
    }
    return end;
  }
}

async function readEntry(archive: RandomSource, offset: number): Promise<PxarEntry> {
  const decoder = new PxarDecoder(sequentialSource(archive, offset), { metadataOnly: true, startAt: offset });
  const event = await decoder.next();
  if (event.type !== "entry") throw new FormatError("pxar: no entry where the directory table says", { offset });
  return event.entry;
}

/** Reads a random source in order from `offset`, skipping by moving on. */
export function sequentialSource(source: RandomSource, offset: number, blockSize = BLOCK_SIZE): SequentialSource {
  return {
    async pull() {
      if (offset >= source.size) return null;
      const piece = await source.read(offset, Math.min(blockSize, source.size - offset));
      offset += piece.length;
      return piece;
    },
    skip(count) {
      offset += count;
    },
  };
}
