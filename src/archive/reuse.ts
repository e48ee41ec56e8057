/**
 * Stores unchanged files by reference to chunks of the previous snapshot (`spec/pxar.md` §9). Other than the reference
 * client, which gives up on a chunk as soon as one of its files changed, this one puts the chunk into the stream once
 * more behind the changed file: it costs no storage, and the files around need not be read.
 */
import { bytesEqual, toHex } from "../base/bytes.ts";
import type { ArchiveWriter, PendingEntry } from "./archive_writer.ts";
import type { CreateStats } from "./create_types.ts";
import { type OldRange, planReuse, type UsedBytes } from "./reuse_plan.ts";
import type { PreviousIndex, ReusedChunk, ReusingSink } from "./reuse_types.ts";

/** Most entries of any kind that wait for a decision: bounds memory where few of them are files. */
const ENTRIES_MAX = 16384;
/** Length of a PAYLOAD header. */
const HEADER_SIZE = 16;

/** The chunk that ends the payload stream, as long as nothing is written behind it. */
interface Tail {
  readonly digest: Uint8Array;
  readonly size: number;
  /** Offset of its start in the new stream. */
  readonly start: number;
  /** Bytes that files refer to. */
  used: number;
}

/**
 * Holds entries back until it is known whether the old chunks that contain their data are worth reusing, then writes
 * them in the order in which they were added.
 */
export class ReuseCache {
  readonly #writer: ArchiveWriter;
  readonly #sink: ReusingSink;
  readonly #index: PreviousIndex;
  readonly #stats: CreateStats;
  readonly #limit: number;
  #entries: PendingEntry[] = [];
  /** Old payload range of each entry that may be reused. */
  #ranges = new Map<PendingEntry, OldRange>();
  /** Open files among the entries. */
  #handles = 0;
  /** Bytes of chunks that the previous window refers to, and this one. */
  #used: UsedBytes = new Map();
  #usedNow = new Map<string, number>();
  #tail?: Tail;
  /** Reference of the last reused file: the next must be behind it. */
  #lastReference = -1;

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
    if (oldOffset < 0 && this.#ranges.size === 0) {
      // Nothing before it waits for a decision.
      return entry.op === "file" ? this.#encode(entry) : this.#writer.write(entry);
    }
    this.#entries.push(entry);
    if (entry.op === "file") this.#handles++;
    if (oldOffset >= 0) {
      this.#ranges.set(entry, { start: oldOffset, end: oldOffset + HEADER_SIZE + entry.size });
    }
    if (this.#handles >= this.#limit || this.#entries.length >= ENTRIES_MAX) return this.#flush(true);
  }

  /** Writes what is still held back; call once behind the last entry. */
  async finish(): Promise<void> {
    await this.#flush(false);
    this.#endTail();
  }

  /** Closes the files of entries that will not be written any more. */
  abandon(): void {
    for (const entry of this.#entries) this.#writer.drop(entry);
    this.#entries = [];
  }

  async #flush(more: boolean): Promise<void> {
    const entries = this.#entries;
    const files = entries.filter((entry) => entry.op === "file");
    const plan = planReuse(files.map((entry) => this.#ranges.get(entry)), this.#index, this.#used, more);
    // Files that share a chunk with files to come wait for these, unless that leaves too little room.
    const open = plan.firstOpen < files.length ? entries.indexOf(files[plan.firstOpen]) : entries.length;
    const count = open > entries.length / 2 ? open : entries.length;
    const chosen = new Set(files.filter((_, i) => plan.reuse[i]));
    this.#entries = entries.slice(count);
    this.#handles = this.#entries.filter((entry) => entry.op === "file").length;
    for (let i = 0; i < count; i++) {
      try {
        const wait = this.#write(entries[i], chosen.has(entries[i]));
        if (wait) await wait;
      } catch (error) {
        for (const rest of entries.slice(i + 1, count)) this.#writer.drop(rest);
        throw error;
      }
    }
    for (const entry of entries.slice(0, count)) this.#ranges.delete(entry);
    // Only chunks of this window can matter for the next.
    this.#used = this.#usedNow;
    this.#usedNow = new Map();
  }

  #write(entry: PendingEntry, reuse: boolean): void | Promise<void> {
    if (entry.op !== "file") return this.#writer.write(entry);
    return reuse ? this.#reference(entry, this.#ranges.get(entry) as OldRange) : this.#encode(entry);
  }

  #encode(entry: PendingEntry): void | Promise<void> {
    this.#endTail();
    return this.#writer.write(entry);
  }

  /** Puts the chunks of `range` into the stream, as far as they do not end it already, and refers to the file in them. */
  #reference(entry: PendingEntry, range: OldRange): void | Promise<void> {
    const index = this.#index;
    const position = index.find(range.start);
    const inside = range.start - (position === 0 ? 0 : index.endAt(position - 1));
    const continued = this.#continues(index.digestAt(position), inside) ? this.#tail : undefined;
    const reference = (continued?.start ?? this.#writer.payloadPosition) + inside;
    const injected = this.#inject(this.#take(range, position, continued !== undefined));
    this.#lastReference = reference;
    const written = this.#writer.writeReference(entry, reference);
    return injected && written ? Promise.all([injected, written]).then(() => {}) : injected ?? written;
  }

  /** True when the stream ends with this chunk and a reference `inside` it is behind the last one. */
  #continues(digest: Uint8Array, inside: number): boolean {
    const tail = this.#tail;
    return tail !== undefined && bytesEqual(tail.digest, digest) && tail.start + inside > this.#lastReference;
  }

  /** Counts the chunks of `range` as used and returns those to put into the stream; `continued`: the first is there. */
  #take(range: OldRange, first: number, continued: boolean): ReusedChunk[] {
    const index = this.#index;
    const list: ReusedChunk[] = [];
    let start = first === 0 ? 0 : index.endAt(first - 1);
    let newStart = this.#writer.payloadPosition;
    for (let position = first; start < range.end; position++) {
      const end = index.endAt(position);
      const digest = index.digestAt(position);
      const size = end - start;
      if (position > first || !continued) {
        this.#endTail();
        this.#tail = { digest, size, start: newStart, used: 0 };
        list.push({ digest, size, previousEnd: end });
        newStart += size;
      }
      const used = Math.min(end, range.end) - Math.max(start, range.start);
      (this.#tail as Tail).used += used;
      const name = toHex(digest);
      this.#usedNow.set(name, (this.#usedNow.get(name) ?? this.#used.get(name) ?? 0) + used);
      start = end;
    }
    return list;
  }

  /** Something else follows in the stream: what the last chunk has of padding is now certain. */
  #endTail(): void {
    const tail = this.#tail;
    this.#tail = undefined;
    if (!tail || tail.used >= tail.size) return;
    this.#stats.partialChunks++;
    this.#stats.padding += tail.size - tail.used;
  }

  #inject(list: readonly ReusedChunk[]): void | Promise<void> {
    if (list.length === 0) return;
    const size = list.reduce((sum, chunk) => sum + chunk.size, 0);
    this.#stats.injectedChunks += list.length;
    this.#stats.injectedSize += size;
    const wait = this.#sink.inject(this.#writer.payloadPosition, list);
    this.#writer.advancePayload(size);
    return wait;
  }
}
