/**
 * Streaming pxar encoder, version 1 (one stream) and version 2 (metadata and payload stream), `spec/pxar.md` §1–§6.
 *
 * Methods do not wait themselves: where a sink asks to wait they return its promise, otherwise nothing. Wait for a
 * returned promise before the next call.
 */
import { FormatError } from "../../base/errors.ts";
import { viewOf } from "../../base/bytes.ts";
import { EntryWriter } from "./entry_writer.ts";
import { GoodbyeTable } from "./goodbye.ts";
import { HEADER_SIZE, ItemType, writeHeader } from "./items.ts";
import type { Metadata } from "./metadata.ts";
import { type ArchiveSink, both, type PayloadSink } from "./sink.ts";
import { hashHalves, nameHash } from "./siphash.ts";

interface OpenDirectory {
  /** Stream offset of the FILENAME item, and of the ENTRY item (both 0 for the root). */
  nameOffset: number;
  entryOffset: number;
  hashLow: number;
  hashHigh: number;
  table: GoodbyeTable;
}

export interface EncoderOptions {
  /** Payload stream: its presence makes the archive version 2. */
  payload?: PayloadSink;
  /** Content of the PRELUDE item (version 2 only). */
  prelude?: Uint8Array;
}

/** Writes one archive; call {@link root} first and {@link finish} last. */
export class PxarEncoder {
  readonly #archive: ArchiveSink;
  readonly #payload?: PayloadSink;
  readonly #prelude?: Uint8Array;
  readonly #writer = new EntryWriter();
  readonly #stack: OpenDirectory[] = [];
  readonly #spareTables: GoodbyeTable[] = [];
  readonly #payloadHeader = new Uint8Array(HEADER_SIZE);
  readonly #payloadHeaderView = viewOf(this.#payloadHeader);
  #position = 0;
  #payloadPosition = 0;

  constructor(archive: ArchiveSink, options: EncoderOptions = {}) {
    this.#archive = archive;
    this.#payload = options.payload;
    this.#prelude = options.prelude;
    if (this.#prelude && !this.#payload) throw new FormatError("pxar: a prelude needs a payload stream");
  }

  /** True for a split archive. */
  get split(): boolean {
    return this.#payload !== undefined;
  }

  /** Bytes of the archive (or metadata) stream so far: the stream offset of the next item. */
  get position(): number {
    return this.#position;
  }

  /** Bytes of the payload stream so far, injected ones included. */
  get payloadPosition(): number {
    return this.#payloadPosition;
  }

  /** Number of directories that are open, the root included. */
  get depth(): number {
    return this.#stack.length;
  }

  /** The sink that takes the file data announced by {@link file}. */
  get dataSink(): ArchiveSink {
    return this.#payload ?? this.#archive;
  }

  /** Opens the root directory. */
  root(metadata: Metadata): void | Promise<void> {
    const writer = this.#writer;
    let marker: void | Promise<void> = undefined;
    writer.reset();
    if (this.#payload) {
      writer.formatVersion();
      if (this.#prelude) writer.prelude(this.#prelude);
      marker = this.#writePayloadHeader(ItemType.PayloadStart, HEADER_SIZE);
    }
    writer.metadata(metadata);
    this.#push(0, 0, 0, 0);
    return both(marker, this.#flush());
  }

  #push(nameOffset: number, entryOffset: number, hashLow: number, hashHigh: number): void {
    const table = this.#spareTables.pop() ?? new GoodbyeTable();
    this.#stack.push({ nameOffset, entryOffset, hashLow, hashHigh, table });
  }

  #flush(): void | Promise<void> {
    const items = this.#writer.done();
    this.#position += items.length;
    return this.#archive.write(items);
  }

  #writePayloadHeader(type: ItemType, size: number): void | Promise<void> {
    writeHeader(this.#payloadHeaderView, 0, type, size);
    this.#payloadPosition += HEADER_SIZE;
    return (this.#payload as PayloadSink).write(this.#payloadHeader);
  }

  /** Starts a child: its FILENAME item, and the record in the parent's table once its size is known. */
  #begin(name: Uint8Array): OpenDirectory {
    const parent = this.#stack[this.#stack.length - 1];
    if (!parent) throw new FormatError("pxar: entry written outside of the root directory");
    this.#writer.reset();
    this.#writer.filename(name);
    return parent;
  }

  #record(parent: OpenDirectory, name: Uint8Array, extra: number): void {
    nameHash(name);
    parent.table.add(hashHalves[0], hashHalves[1], this.#position, this.#writer.length + extra);
  }

  /** Opens a sub-directory; everything up to {@link leave} goes into it. */
  enter(name: Uint8Array, metadata: Metadata): void | Promise<void> {
    this.#begin(name);
    const entryOffset = this.#position + this.#writer.length;
    nameHash(name);
    this.#push(this.#position, entryOffset, hashHalves[0], hashHalves[1]);
    this.#writer.metadata(metadata);
    return this.#flush();
  }

  /** Closes the directory opened last (not the root). */
  leave(): void | Promise<void> {
    if (this.#stack.length < 2) throw new FormatError("pxar: no directory to leave");
    const written = this.#goodbye();
    const left = this.#stack.pop() as OpenDirectory;
    const parent = this.#stack[this.#stack.length - 1];
    parent.table.add(left.hashLow, left.hashHigh, left.nameOffset, this.#position - left.nameOffset);
    return written;
  }

  #goodbye(): void | Promise<void> {
    const { table, entryOffset } = this.#stack[this.#stack.length - 1];
    const item = table.encode(this.#position, entryOffset);
    table.clear();
    this.#spareTables.push(table);
    this.#position += item.length;
    return this.#archive.write(item);
  }

  /**
   * Announces a regular file of `size` bytes. Exactly `size` bytes must then go into {@link dataSink} before the next
   * call. The stream offset to link to is {@link position} before this call.
   */
  file(name: Uint8Array, metadata: Metadata, size: number): void | Promise<void> {
    const parent = this.#begin(name);
    this.#writer.metadata(metadata);
    if (!this.#payload) {
      this.#writer.payloadHeader(size);
      this.#record(parent, name, size);
      const written = this.#flush();
      this.#position += size;
      return written;
    }
    this.#writer.payloadRef(this.#payloadPosition, size);
    // The reference counts the data here although it is elsewhere; the same streams need the same sum (§5).
    this.#record(parent, name, size);
    this.#payload.suggestBoundary(this.#payloadPosition);
    const header = this.#writePayloadHeader(ItemType.Payload, HEADER_SIZE + size);
    this.#payloadPosition += size;
    return both(header, this.#flush());
  }

  /** A regular file whose PAYLOAD item is (or will be) at `payloadOffset`, in injected bytes (§9). Split archives only. */
  fileReference(name: Uint8Array, metadata: Metadata, size: number, payloadOffset: number): void | Promise<void> {
    if (!this.#payload) throw new FormatError("pxar: a payload reference needs a payload stream");
    const parent = this.#begin(name);
    this.#writer.metadata(metadata);
    this.#writer.payloadRef(payloadOffset, size);
    this.#record(parent, name, 0);
    this.#payload.suggestBoundary(this.#payloadPosition);
    return this.#flush();
  }

  /** The payload stream grew by `size` bytes that the caller injected (reused chunks, §9.4). */
  advancePayload(size: number): void {
    this.#payloadPosition += size;
  }

  /** A further name of the file whose FILENAME item is at stream offset `target`; `path` is relative to the root. */
  hardlink(name: Uint8Array, path: Uint8Array, target: number): void | Promise<void> {
    const parent = this.#begin(name);
    this.#writer.hardlink(this.#position - target, path);
    this.#record(parent, name, 0);
    return this.#flush();
  }

  symlink(name: Uint8Array, metadata: Metadata, target: Uint8Array): void | Promise<void> {
    const parent = this.#begin(name);
    this.#writer.metadata(metadata);
    this.#writer.symlink(target);
    this.#record(parent, name, 0);
    return this.#flush();
  }

  device(name: Uint8Array, metadata: Metadata, major: number, minor: number): void | Promise<void> {
    const parent = this.#begin(name);
    this.#writer.metadata(metadata);
    this.#writer.device(major, minor);
    this.#record(parent, name, 0);
    return this.#flush();
  }

  /** A fifo or socket, as `metadata.mode` says. */
  special(name: Uint8Array, metadata: Metadata): void | Promise<void> {
    const parent = this.#begin(name);
    this.#writer.metadata(metadata);
    this.#record(parent, name, 0);
    return this.#flush();
  }

  /** Closes the root and ends both streams. */
  finish(): void | Promise<void> {
    if (this.#stack.length !== 1) throw new FormatError("pxar: archive finished inside of a directory");
    const written = this.#goodbye();
    this.#stack.pop();
    if (!this.#payload) return written;
    return both(written, this.#writePayloadHeader(ItemType.PayloadTail, HEADER_SIZE));
  }
}
