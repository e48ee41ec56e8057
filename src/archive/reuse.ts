/** Decides which files are stored by reference to chunks of the previous snapshot (`spec/pxar.md` §9.3–9.5). */
import { bytesEqual } from "../base/bytes.ts";
import type { CreateStats } from "./create_types.ts";
import type { ArchiveWriter, PendingEntry } from "./archive_writer.ts";
import type { PreviousIndex, ReusedChunk, ReusingSink } from "./reuse_types.ts";

/** Largest share of bytes that nothing refers to in a run of reused chunks. */
const PADDING_LIMIT = 0.1;

/** Most entries of any kind that wait for a decision: bounds memory where few of them are files. */
const ENTRIES_MAX = 16384;

interface Candidate extends ReusedChunk {
  /** Bytes of the chunk that no file refers to. */
  padding: number;
}

/**
 * Holds entries back until it is known whether the old chunks that contain their data are worth reusing, then writes
 * them. Entries come out in the order in which they were added.
 */
export class ReuseCache {
  readonly #writer: ArchiveWriter;
  readonly #sink: ReusingSink;
  readonly #index: PreviousIndex;
  readonly #stats: CreateStats;
  readonly #limit: number;
  #entries: PendingEntry[] = [];
  /** Open files among the entries. */
  #handles = 0;
  /** The old payload range that the cached files cover without a gap. */
  #start = 0;
  #end = 0;
  #ranged = false;
  /** Last chunk of the previous flush, not injected yet: the next files may share it. */
  #held?: Candidate;

  constructor(writer: ArchiveWriter, sink: ReusingSink, index: PreviousIndex, stats: CreateStats, limit: number) {
    this.#writer = writer;
    this.#sink = sink;
    this.#index = index;
    this.#stats = stats;
    this.#limit = limit;
  }

  /**
   * Takes an entry. `oldOffset` is the offset of a reusable file's PAYLOAD item in the previous payload stream, −1 for
   * everything else.
   */
  add(entry: PendingEntry, oldOffset = -1): void | Promise<void> {
    if (this.#handles >= this.#limit || this.#entries.length >= ENTRIES_MAX) {
      return this.#flush(true).then(() => this.#add(entry, oldOffset));
    }
    return this.#add(entry, oldOffset);
  }

  #add(entry: PendingEntry, oldOffset: number): void | Promise<void> {
    if (oldOffset >= 0) {
      const end = oldOffset + 16 + entry.size;
      if (!this.#ranged) {
        this.#start = this.#end = oldOffset;
        this.#ranged = true;
      }
      if (oldOffset !== this.#end) {
        return this.#flush(true).then(() => {
          this.#start = oldOffset;
          this.#keep(entry, oldOffset, end);
        });
      }
      this.#keep(entry, oldOffset, end);
      return;
    }
    if (entry.op === "file") return this.#flush(false).then(() => this.#writer.write(entry));
    if (this.#entries.length > 0 || this.#held) {
      this.#entries.push(entry);
      return;
    }
    return this.#writer.write(entry);
  }

  #keep(entry: PendingEntry, oldOffset: number, end: number): void {
    this.#end = end;
    entry.relative = oldOffset - this.#start;
    this.#entries.push(entry);
    this.#handles++;
  }

  /** Writes what is still held back; call once behind the last entry. */
  finish(): Promise<void> {
    return this.#flush(false);
  }

  /** Closes the files of entries that will not be written any more. */
  abandon(): void {
    for (const entry of this.#entries) this.#writer.drop(entry);
    this.#entries = [];
  }

  async #flush(keep: boolean): Promise<void> {
    const chunks = this.#start === this.#end ? undefined : this.#reusable(this.#start, this.#end);
    if (!chunks) {
      await this.#injectHeld();
      await this.#writeAll(undefined);
    } else {
      const { list, startPadding, shared } = chunks;
      if (this.#held && !shared) await this.#injectHeld();
      this.#held = undefined;
      await this.#writeAll(this.#writer.payloadPosition + startPadding);
      if (keep) this.#held = list.pop();
      await this.#inject(list);
    }
    this.#start = this.#end;
  }

  /** Chunks that cover the old range, or undefined when too much of them would be padding. */
  #reusable(start: number, end: number): { list: Candidate[]; startPadding: number; shared: boolean } | undefined {
    const index = this.#index;
    const first = index.find(start);
    // The reference also takes the chunk behind a range that ends on a border; stopping here reuses more (§9.5).
    const last = index.find(end - 1);
    const list: Candidate[] = [];
    let chunkStart = first === 0 ? 0 : index.endAt(first - 1);
    const startPadding = start - chunkStart;
    for (let i = first; i <= last; i++) {
      const chunkEnd = index.endAt(i);
      list.push({ digest: index.digestAt(i), size: chunkEnd - chunkStart, previousEnd: chunkEnd, padding: 0 });
      chunkStart = chunkEnd;
    }
    const endPadding = chunkStart - end;
    list[0].padding += startPadding;
    list[list.length - 1].padding += endPadding;
    const total = end - start + startPadding + endPadding;
    let padding = startPadding + endPadding;
    const held = this.#held;
    const shared = held !== undefined && held.previousEnd === list[0].previousEnd &&
      bytesEqual(held.digest, list[0].digest);
    if (shared) {
      const used = held.size - held.padding;
      padding -= used;
      list[0].padding -= used;
    }
    return padding / total > PADDING_LIMIT ? undefined : { list, startPadding, shared };
  }

  async #writeAll(base: number | undefined): Promise<void> {
    const entries = this.#entries;
    this.#entries = [];
    this.#handles = 0;
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i];
      try {
        const reused = base !== undefined && entry.op === "file";
        const wait = reused ? this.#writer.writeReference(entry, base + entry.relative) : this.#writer.write(entry);
        if (wait) await wait;
      } catch (error) {
        for (const rest of entries.slice(i + 1)) this.#writer.drop(rest);
        throw error;
      }
    }
  }

  async #injectHeld(): Promise<void> {
    if (!this.#held) return;
    const held = this.#held;
    this.#held = undefined;
    await this.#inject([held]);
  }

  async #inject(list: readonly Candidate[]): Promise<void> {
    if (list.length === 0) return;
    let size = 0;
    for (const chunk of list) {
      size += chunk.size;
      if (chunk.padding > 0) this.#stats.partialChunks++;
      this.#stats.padding += chunk.padding;
    }
    this.#stats.injectedChunks += list.length;
    this.#stats.injectedSize += size;
    const wait = this.#sink.inject(this.#writer.payloadPosition, list);
    this.#writer.advancePayload(size);
    if (wait) await wait;
  }
}
