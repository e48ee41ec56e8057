/**
 * Sequential pxar reader for both versions (`spec/pxar.md` §3, §4): pull-based, bounded memory, no recursion.
 *
 * {@link PxarDecoder.tryNext} and {@link PxarDecoder.tryData} work on what is at hand and return null when more bytes are
 * needed; then await {@link PxarDecoder.more} and try again. So thousands of small entries cost no await.
 */
import { readU64 } from "../../base/bytes.ts";
import { FormatError } from "../../base/errors.ts";
import {
  addAttribute,
  ATTRIBUTES_MAX,
  checkLinkPath,
  copy,
  copyString,
  parseEntry,
  parseObsoleteEntry,
} from "./attributes.ts";
import type { PxarEntry, PxarEvent } from "./entry.ts";
import { checkName } from "./entry_writer.ts";
import { contentSizeOf, HEADER_SIZE, ITEM_RULES, ItemType, itemTypeOf } from "./items.ts";
import { type EntryKind, FileType, type Metadata } from "./metadata.ts";
import type { SequentialSource } from "./sink.ts";
import { StreamWindow } from "./window.ts";

export interface DecoderOptions {
  /** Payload stream of a split archive; needed for file contents. */
  payload?: SequentialSource;
  /** Read the metadata stream of a split archive alone: files have sizes and offsets but no contents. */
  metadataOnly?: boolean;
  /** `archive` begins at this stream offset, which is that of a FILENAME item, instead of at the archive's start. */
  startAt?: number;
}

/** Where the reader stands in the grammar of §3. */
const State = { Start: 0, AfterVersion: 1, Root: 2, Child: 3, Named: 4, Attributes: 5, LastByte: 6, End: 7 } as const;
type State = typeof State[keyof typeof State];

const LEAVE: PxarEvent = { type: "leave" };
const END: PxarEvent = { type: "end" };
const NOTHING = new Uint8Array(0);
const NO_METADATA: Metadata = Object.freeze({ mode: 0, flags: 0, uid: 0, gid: 0, mtimeSec: 0, mtimeNsec: 0 });

const BODILESS_KINDS = new Map<number, EntryKind>([
  [FileType.Directory, "directory"],
  [FileType.Fifo, "fifo"],
  [FileType.Socket, "socket"],
]);

export class PxarDecoder {
  readonly #archive: StreamWindow;
  readonly #payload?: StreamWindow;
  readonly #metadataOnly: boolean;
  #state: State = State.Start;
  #version = 1;
  #depth = 0;
  #name: Uint8Array = NOTHING;
  #offset = 0;
  #metadata: Metadata = NO_METADATA;
  #attributeBytes = 0;
  /** What must be filled before the next try. */
  #wantedFrom: StreamWindow;
  #wanted = HEADER_SIZE;
  /** Content of the current file that was not read yet. */
  #remaining = 0;
  /** Split archives: where the PAYLOAD item of the current file is, as long as its header was not read. */
  #unopened = -1;
  #startMarkerSeen = false;
  #payloadEnd = HEADER_SIZE;

  constructor(archive: SequentialSource, options: DecoderOptions = {}) {
    const split = options.payload !== undefined || options.metadataOnly === true;
    this.#archive = new StreamWindow(archive, split ? "metadata stream" : "archive", options.startAt);
    if (options.payload) this.#payload = new StreamWindow(options.payload, "payload stream");
    this.#metadataOnly = options.metadataOnly ?? false;
    this.#wantedFrom = this.#archive;
    if (options.startAt !== undefined) {
      this.#state = State.Child;
      this.#depth = 1;
    }
  }

  /** 2 when the stream began with a FORMAT_VERSION item saying so, else 1. */
  get version(): number {
    return this.#version;
  }

  /** Number of directories entered and not left, the root included. */
  get depth(): number {
    return this.#depth;
  }

  /** Content bytes of the current file that were not delivered yet. */
  get dataRemaining(): number {
    return this.#remaining;
  }

  /** The next step, or null when {@link more} must be awaited first. What is left of a file's content is skipped. */
  tryNext(): PxarEvent | null {
    this.#dropData();
    const window = this.#archive;
    while (this.#state !== State.End) {
      if (this.#state === State.LastByte) {
        if (!window.peek(1)) return this.#want(window, 1);
        window.consume(1);
        this.#state = State.End;
        break;
      }
      if (!window.peek(HEADER_SIZE)) return this.#want(window, HEADER_SIZE);
      const offset = window.position;
      const type = itemTypeOf(window.view, window.index, offset);
      if (this.#state === State.Attributes && (type === ItemType.Filename || type === ItemType.Goodbye)) {
        return this.#bodiless(offset);
      }
      const size = contentSizeOf(window.view, window.index, type, offset);
      if (type === ItemType.Payload) return this.#payloadItem(size, offset);
      if (type === ItemType.Goodbye) {
        if (this.#state !== State.Child) throw this.#misplaced(type, offset);
        if (--this.#depth > 0) window.skip(HEADER_SIZE + size);
        else {
          // Skipping alone would not notice that the end of the archive is missing.
          window.skip(HEADER_SIZE + size - 1);
          this.#state = State.LastByte;
        }
        return LEAVE;
      }
      if (!window.peek(HEADER_SIZE + size)) return this.#want(window, HEADER_SIZE + size);
      const event = this.#item(type, window.view, window.index + HEADER_SIZE, size, offset);
      window.consume(HEADER_SIZE + size);
      if (event) return event;
    }
    return END;
  }

  #want(window: StreamWindow, count: number): null {
    this.#wantedFrom = window;
    this.#wanted = count;
    return null;
  }

  /** Waits for the bytes that the last try was short of. Throws {@link FormatError} when the stream ends before. */
  more(): Promise<void> {
    return this.#wantedFrom.fill(this.#wanted);
  }

  /** The next step. Throws {@link FormatError} at the first byte that is not an archive's. */
  async next(): Promise<PxarEvent> {
    for (let event = this.tryNext();; event = this.tryNext()) {
      if (event) return event;
      await this.more();
    }
  }

  /** Moves on to the entry whose FILENAME item is at stream offset `offset`, not before the current position. */
  seekEntry(offset: number): void {
    this.#dropData();
    if (offset < this.#archive.position) {
      throw new FormatError("pxar: cannot move backwards in a stream", { offset: this.#archive.position });
    }
    this.#archive.skip(offset - this.#archive.position);
    this.#state = State.Child;
    this.#depth = 1;
  }

  /** Stream offset of the next item. */
  get position(): number {
    return this.#archive.position + (this.#payload ? 0 : this.#remaining);
  }

  /** An item that is neither PAYLOAD nor GOODBYE. Returns an event when it completes something. */
  #item(type: ItemType, view: DataView, at: number, size: number, offset: number): PxarEvent | undefined {
    const state = this.#state;
    if (state === State.Child || state === State.Start || state === State.AfterVersion || state === State.Root) {
      if (state === State.Child && type === ItemType.Filename) {
        this.#name = copyString(view, at, size, "file name", offset);
        checkName(this.#name, offset);
        this.#offset = offset;
        this.#state = State.Named;
        return undefined;
      }
      if (state !== State.Child) return this.#opening(type, view, at, size, offset);
    } else if (state === State.Named) {
      if (type === ItemType.Entry || type === ItemType.EntryObsolete) return this.#entry(type, view, at);
      if (type === ItemType.Hardlink) return this.#hardlink(view, at, size, offset);
    } else if (state === State.Attributes) {
      if (addAttribute(this.#metadata, type, view, at, size, offset)) {
        this.#attributeBytes += size;
        if (this.#attributeBytes > ATTRIBUTES_MAX) {
          throw new FormatError(`pxar: more than ${ATTRIBUTES_MAX} bytes of attributes for one entry`, { offset });
        }
        return undefined;
      }
      return this.#body(type, view, at, size, offset);
    }
    throw this.#misplaced(type, offset);
  }

  /** FORMAT_VERSION, PRELUDE and the root's ENTRY. */
  #opening(type: ItemType, view: DataView, at: number, size: number, offset: number): PxarEvent | undefined {
    const state = this.#state;
    if (type === ItemType.FormatVersion && state === State.Start) {
      this.#version = readU64(view, at);
      if (this.#version !== 1 && this.#version !== 2) {
        throw new FormatError(`pxar: format version ${this.#version}; this program reads 1 and 2`, { offset });
      }
      this.#state = State.AfterVersion;
      return undefined;
    }
    if (type === ItemType.Prelude && state === State.AfterVersion) {
      this.#state = State.Root;
      return { type: "prelude", content: copy(view, at, size) };
    }
    if (type !== ItemType.Entry && type !== ItemType.EntryObsolete) throw this.#misplaced(type, offset);
    this.#name = NOTHING;
    this.#offset = 0;
    this.#entry(type, view, at);
    if ((this.#metadata.mode & FileType.Mask) !== FileType.Directory) {
      throw new FormatError("pxar: the root of the archive is not a directory", { offset });
    }
    return undefined;
  }

  #entry(type: ItemType, view: DataView, at: number): undefined {
    this.#metadata = type === ItemType.Entry ? parseEntry(view, at) : parseObsoleteEntry(view, at);
    this.#attributeBytes = 0;
    this.#state = State.Attributes;
  }

  /** The entry is complete without a body item: a directory, fifo or socket. */
  #bodiless(offset: number): PxarEvent {
    const kind = BODILESS_KINDS.get(this.#metadata.mode & FileType.Mask);
    if (!kind) throw new FormatError("pxar: entry without the item that holds its content", { offset });
    if (kind === "directory") this.#depth++;
    else if (this.#depth === 0) throw new FormatError("pxar: the root of the archive is not a directory", { offset });
    return this.#emit(kind, 0, -1);
  }

  #emit(kind: EntryKind, size: number, dataOffset: number, more?: Partial<PxarEntry>): PxarEvent {
    this.#state = State.Child;
    const entry: PxarEntry = {
      kind,
      name: this.#name,
      offset: this.#offset,
      metadata: this.#metadata,
      size,
      dataOffset,
      target: more?.target,
      linkOffset: more?.linkOffset,
      major: more?.major,
      minor: more?.minor,
    };
    return { type: "entry", entry };
  }

  #body(type: ItemType, view: DataView, at: number, size: number, offset: number): PxarEvent {
    switch (type) {
      case ItemType.Symlink:
        this.#expectMode(FileType.Symlink, FileType.Symlink, type, offset);
        return this.#emit("symlink", 0, -1, { target: copyString(view, at, size, "symlink target", offset) });
      case ItemType.Device:
        this.#expectMode(FileType.Block, FileType.Character, type, offset);
        return this.#emit("device", 0, -1, { major: readU64(view, at), minor: readU64(view, at + 8) });
      case ItemType.PayloadRef:
        this.#expectMode(FileType.Regular, FileType.Regular, type, offset);
        return this.#payloadRef(readU64(view, at), readU64(view, at + 8), offset);
      default:
        throw this.#misplaced(type, offset);
    }
  }

  /** A body item must be what the mode says; the reference lets the item win, no writer makes such entries. */
  #expectMode(a: number, b: number, type: ItemType, offset: number): void {
    const fileType = this.#metadata.mode & FileType.Mask;
    if (this.#depth === 0) throw new FormatError("pxar: the root of the archive is not a directory", { offset });
    if (fileType !== a && fileType !== b) {
      throw new FormatError(`pxar: ${ITEM_RULES[type].name} item in an entry of another type`, { offset });
    }
  }

  #hardlink(view: DataView, at: number, size: number, offset: number): PxarEvent {
    const target = copyString(view, at + 8, size - 8, "hardlink path", offset);
    checkLinkPath(target, offset);
    const distance = view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
    this.#metadata = NO_METADATA;
    return this.#emit("hardlink", 0, -1, { target, linkOffset: this.#offset - distance });
  }

  #payloadRef(payloadOffset: number, size: number, offset: number): PxarEvent {
    if (!this.#payload && !this.#metadataOnly) {
      throw new FormatError("pxar: the archive keeps file contents in a payload stream, which was not given", {
        offset,
      });
    }
    if (payloadOffset < HEADER_SIZE) {
      throw new FormatError("pxar: payload reference to the start marker", { offset });
    }
    if (this.#payload) {
      if (payloadOffset < this.#payloadEnd) {
        throw new FormatError("pxar: payload references are not increasing", { offset });
      }
      this.#payloadEnd = payloadOffset + HEADER_SIZE + size;
      this.#remaining = size;
      this.#unopened = payloadOffset;
    }
    return this.#emit("file", size, payloadOffset + HEADER_SIZE);
  }

  #payloadItem(size: number, offset: number): PxarEvent {
    if (this.#state !== State.Attributes) throw this.#misplaced(ItemType.Payload, offset);
    if (this.#payload || this.#version === 2) {
      throw new FormatError("pxar: PAYLOAD item inside of a metadata stream", { offset });
    }
    this.#expectMode(FileType.Regular, FileType.Regular, ItemType.Payload, offset);
    this.#archive.consume(HEADER_SIZE);
    this.#remaining = size;
    return this.#emit("file", size, offset + HEADER_SIZE);
  }

  #misplaced(type: ItemType, offset: number): FormatError {
    return new FormatError(`pxar: unexpected item ${ITEM_RULES[type].name}`, { offset });
  }

  #dropData(): void {
    if (this.#remaining > 0 && !this.#payload) this.#archive.skip(this.#remaining);
    this.#remaining = 0;
    this.#unopened = -1;
  }

  /**
   * Split archives: makes sure that the PAYLOAD header of the current file was read and agrees with its reference
   * (true), or returns null when {@link more} must be awaited first. Throws {@link FormatError} otherwise.
   */
  tryOpenData(): true | null {
    const window = this.#payload;
    if (!window || this.#unopened < 0) return true;
    if (!this.#startMarkerSeen) {
      if (!window.peek(HEADER_SIZE)) return this.#want(window, HEADER_SIZE);
      if (itemTypeOf(window.view, window.index, 0) !== ItemType.PayloadStart) {
        throw new FormatError("pxar: payload stream does not begin with its start marker", { offset: 0 });
      }
      window.consume(HEADER_SIZE);
      this.#startMarkerSeen = true;
    }
    if (window.position !== this.#unopened) window.skip(this.#unopened - window.position);
    if (!window.peek(HEADER_SIZE)) return this.#want(window, HEADER_SIZE);
    const offset = window.position;
    const type = itemTypeOf(window.view, window.index, offset);
    if (type !== ItemType.Payload) throw new FormatError("pxar: payload reference leads elsewhere", { offset });
    if (contentSizeOf(window.view, window.index, type, offset) !== this.#remaining) {
      throw new FormatError("pxar: payload has another size than its reference", { offset });
    }
    window.consume(HEADER_SIZE);
    this.#unopened = -1;
    return true;
  }

  /**
   * The next piece of the current file's content as it lies in the source's memory, or null when
   * {@link more} must be awaited first. Call only while {@link dataRemaining} is above 0.
   */
  tryData(): Uint8Array | null {
    if (this.#unopened >= 0 && !this.tryOpenData()) return null;
    const window = this.#payload ?? this.#archive;
    const piece = window.take(this.#remaining);
    if (!piece) return this.#want(window, 1);
    this.#remaining -= piece.length;
    return piece;
  }

  /** The content of the current file, all of it; for small files and tests. */
  async data(): Promise<Uint8Array<ArrayBuffer>> {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (this.#remaining > 0) {
      const piece = this.tryData();
      if (!piece) await this.more();
      else {
        pieces.push(piece);
        length += piece.length;
      }
    }
    const whole = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      whole.set(piece, at);
      at += piece.length;
    }
    return whole;
  }
}
