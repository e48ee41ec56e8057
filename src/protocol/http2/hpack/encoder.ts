/** HPACK encoder: RFC 7541. */
import { DynamicTable, type Field, fieldSize } from "./dynamic_table.ts";
import { huffmanEncode, huffmanLength } from "./huffman.ts";
import { STATIC_TABLE } from "./static_table.ts";

/** Our own bound on the table, whatever the peer offers. */
const MAX_TABLE_SIZE = 4096;
/** Values that differ with each message: a table entry would be wasted. */
const VARYING = new Set([":path", "content-length", "date", "etag"]);
/** Secrets stay out of tables, also those of intermediaries (§7.1.3). */
const SECRET = new Set(["authorization", "cookie", "set-cookie", "proxy-authorization", "csrfpreventiontoken"]);

const STATIC_FIELDS = new Map<string, number>();
const STATIC_NAMES = new Map<string, number>();
STATIC_TABLE.forEach(([name, value], i) => {
  STATIC_FIELDS.set(key(name, value), i + 1);
  if (!STATIC_NAMES.has(name)) STATIC_NAMES.set(name, i + 1);
});

/** Encodes the header blocks of one direction of a connection, in order. */
export class HpackEncoder {
  readonly #table = new DynamicTable(MAX_TABLE_SIZE);
  /** Ordinals in the dynamic table. */
  readonly #fields = new Map<string, number>();
  readonly #names = new Map<string, number>();
  #smallestSize = MAX_TABLE_SIZE;
  #sizeChanged = false;
  #out = new Uint8Array(1024);
  #at = 0;

  /** Takes over the peer's SETTINGS_HEADER_TABLE_SIZE; the next block announces the change. */
  setMaxTableSize(offered: number): void {
    const size = Math.min(offered, MAX_TABLE_SIZE);
    if (size === this.#table.maxSize) return;
    this.#table.resize(size);
    this.#smallestSize = Math.min(this.#smallestSize, size);
    this.#sizeChanged = true;
  }

  /** Header block of `fields` (names lower-case, one octet per char). */
  encode(fields: Iterable<Field>): Uint8Array<ArrayBuffer> {
    this.#at = 0;
    if (this.#sizeChanged) {
      if (this.#smallestSize < this.#table.maxSize) this.#integer(0x20, 5, this.#smallestSize);
      this.#integer(0x20, 5, this.#table.maxSize);
      this.#sizeChanged = false;
      this.#smallestSize = this.#table.maxSize;
    }
    for (const [name, value] of fields) this.#field(name, value);
    return this.#out.slice(0, this.#at);
  }

  #field(name: string, value: string): void {
    const index = STATIC_FIELDS.get(key(name, value)) ?? this.#dynamicIndex(this.#fields.get(key(name, value)));
    if (index !== undefined) return this.#integer(0x80, 7, index);
    const nameIndex = STATIC_NAMES.get(name) ?? this.#dynamicIndex(this.#names.get(name)) ?? 0;
    if (SECRET.has(name)) this.#integer(0x10, 4, nameIndex);
    else if (VARYING.has(name) || fieldSize(name, value) > this.#table.maxSize / 4) this.#integer(0, 4, nameIndex);
    else {
      this.#integer(0x40, 6, nameIndex);
      this.#remember(name, value);
    }
    if (nameIndex === 0) this.#string(name);
    this.#string(value);
  }

  #dynamicIndex(ordinal: number | undefined): number | undefined {
    return ordinal === undefined ? undefined : this.#table.indexOf(ordinal);
  }

  #remember(name: string, value: string): void {
    if (this.#fields.size > 1024) this.#dropEvicted();
    const ordinal = this.#table.nextOrdinal;
    this.#table.add(name, value);
    this.#fields.set(key(name, value), ordinal);
    this.#names.set(name, ordinal);
  }

  #dropEvicted(): void {
    for (const ordinals of [this.#fields, this.#names]) {
      for (const [entry, ordinal] of ordinals) {
        if (this.#table.indexOf(ordinal) === undefined) ordinals.delete(entry);
      }
    }
  }

  #integer(flags: number, bits: number, value: number): void {
    this.#reserve(8);
    const mask = (1 << bits) - 1;
    if (value < mask) {
      this.#out[this.#at++] = flags | value;
      return;
    }
    this.#out[this.#at++] = flags | mask;
    let rest = value - mask;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#out[this.#at++] = (rest & 0x7f) | 0x80;
    this.#out[this.#at++] = rest;
  }

  #string(text: string): void {
    const packed = huffmanLength(text);
    if (packed < text.length) {
      this.#integer(0x80, 7, packed);
      this.#reserve(packed);
      this.#at = huffmanEncode(text, this.#out, this.#at);
      return;
    }
    this.#integer(0, 7, text.length);
    this.#reserve(text.length);
    for (let i = 0; i < text.length; i++) this.#out[this.#at++] = text.charCodeAt(i);
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#out.length) return;
    const larger = new Uint8Array(Math.max(this.#out.length * 2, this.#at + bytes));
    larger.set(this.#out.subarray(0, this.#at));
    this.#out = larger;
  }
}

/** One text for name and value, different for every pair. */
function key(name: string, value: string): string {
  return `${name.length}:${name}${value}`;
}
