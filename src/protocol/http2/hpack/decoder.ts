/** HPACK decoder: RFC 7541. */
import { ErrorCode, Http2Error } from "../errors.ts";
import { DynamicTable, type Field, fieldSize } from "./dynamic_table.ts";
import { huffmanDecode } from "./huffman.ts";

/** A decoded header block. */
export interface DecodedHeaders {
  readonly fields: Field[];
  /** True when the list was larger than the limit; `fields` then holds only what fitted. */
  readonly tooLarge: boolean;
}

/** Decodes the header blocks of one direction of a connection, in order. */
export class HpackDecoder {
  readonly #table: DynamicTable;
  readonly #maxTableSize: number;
  #block: Uint8Array = new Uint8Array(0);
  #at = 0;

  /** `maxTableSize`: bytes of dynamic table announced to the peer. */
  constructor(maxTableSize = 4096) {
    this.#maxTableSize = maxTableSize;
    this.#table = new DynamicTable(maxTableSize);
  }

  /**
   * Fields of a complete header block. A list above `maxListSize` bytes (RFC 9113 §6.5.2) is decoded to its end, so that
   * the table stays right, but not kept. Throws a connection error (COMPRESSION_ERROR) on anything malformed.
   */
  decode(block: Uint8Array, maxListSize: number): DecodedHeaders {
    this.#block = block;
    this.#at = 0;
    const fields: Field[] = [];
    let listSize = 0;
    let sizeUpdateAllowed = true;
    while (this.#at < block.length) {
      const first = block[this.#at];
      if ((first & 0xe0) === 0x20) {
        const size = this.#integer(5);
        if (!sizeUpdateAllowed) throw malformed("table size update behind a field");
        if (size > this.#maxTableSize) throw malformed(`table size of ${size} bytes`);
        this.#table.resize(size);
        continue;
      }
      sizeUpdateAllowed = false;
      const field = this.#field(first);
      listSize += fieldSize(field[0], field[1]);
      if (listSize <= maxListSize) fields.push(field);
    }
    return { fields, tooLarge: listSize > maxListSize };
  }

  #field(first: number): Field {
    if (first & 0x80) return this.#indexed(this.#integer(7));
    const indexing = (first & 0x40) !== 0;
    const nameIndex = this.#integer(indexing ? 6 : 4);
    const name = nameIndex === 0 ? this.#string() : this.#indexed(nameIndex)[0];
    const value = this.#string();
    if (indexing) this.#table.add(name, value);
    return [name, value];
  }

  #indexed(index: number): Field {
    const field = this.#table.at(index);
    if (field === undefined) throw malformed(`index ${index} is in no table`);
    return field;
  }

  /** Integer with a prefix of `bits` bits (§5.1), at most 2²⁸ or so: more is no sensible length or index. */
  #integer(bits: number): number {
    const block = this.#block;
    const mask = (1 << bits) - 1;
    let value = block[this.#at++] & mask;
    if (value < mask) return value;
    for (let shift = 0; shift <= 21; shift += 7) {
      if (this.#at >= block.length) throw malformed("integer ends early");
      const octet = block[this.#at++];
      value += (octet & 0x7f) << shift;
      if (octet < 0x80) return value;
    }
    throw malformed("integer too large");
  }

  #string(): string {
    if (this.#at >= this.#block.length) throw malformed("string ends early");
    const huffman = (this.#block[this.#at] & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#block.length) throw malformed("string ends early");
    const octets = this.#block.subarray(this.#at, end);
    this.#at = end;
    return huffman ? huffmanDecode(octets) : latin1(octets);
  }
}

function latin1(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length; i += 4096) text += String.fromCharCode(...octets.subarray(i, i + 4096));
  return text;
}

function malformed(what: string): Http2Error {
  return new Http2Error(ErrorCode.COMPRESSION_ERROR, `header block: ${what}`);
}
