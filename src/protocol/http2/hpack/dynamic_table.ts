/** Dynamic table of HPACK: RFC 7541 §2.3.2 and §4. */
import { STATIC_TABLE } from "./static_table.ts";

/** One header field: name and value, one char per octet. */
export type Field = readonly [name: string, value: string];

/** Size of a field as HPACK and header list limits count it (RFC 7541 §4.1). */
export function fieldSize(name: string, value: string): number {
  return name.length + value.length + 32;
}

/** First-in first-out table of fields, bounded in size, indexed newest first behind the static table. */
export class DynamicTable {
  /** Oldest first. */
  readonly #fields: Field[] = [];
  #size = 0;
  #maxSize: number;
  #evicted = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Bytes in use. */
  get size(): number {
    return this.#size;
  }

  /** Changes the bound, evicting what no longer fits. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    this.#evict(maxSize);
  }

  /** Adds a field as the newest. One that is larger than the table empties it and is not kept. */
  add(name: string, value: string): void {
    const size = fieldSize(name, value);
    this.#evict(this.#maxSize - size);
    if (size > this.#maxSize) return;
    this.#fields.push([name, value]);
    this.#size += size;
  }

  /** Field at an HPACK index (1 is the first static one), undefined outside of both tables. */
  at(index: number): Field | undefined {
    if (index <= STATIC_TABLE.length) return STATIC_TABLE[index - 1];
    return this.#fields[this.#fields.length - (index - STATIC_TABLE.length)];
  }

  /** Number that stays the same while the field lives: the how-manieth the next added field will be. */
  get nextOrdinal(): number {
    return this.#evicted + this.#fields.length;
  }

  /** HPACK index of the field that was added as `ordinal`, undefined when it was evicted. */
  indexOf(ordinal: number): number | undefined {
    return ordinal < this.#evicted ? undefined : STATIC_TABLE.length + this.nextOrdinal - ordinal;
  }

  #evict(room: number): void {
    while (this.#size > Math.max(0, room)) {
      const [name, value] = this.#fields.shift() as Field;
      this.#size -= fieldSize(name, value);
      this.#evicted++;
    }
  }
}
