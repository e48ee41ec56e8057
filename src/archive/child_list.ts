/** The children of a directory in little memory: a directory may have a million. */

/** Names lie one behind the other in one buffer; an entry costs its name and 9 bytes. */
export class ChildList {
  #names = new Uint8Array(1024);
  #used = 0;
  #starts = new Uint32Array(64);
  #types = new Uint8Array(64);
  #order?: Uint32Array;
  length = 0;

  /** Adds a child; `type` is one of `EntryType`. */
  add(name: Uint8Array, type: number): void {
    if (this.#used + name.length > this.#names.length) this.#names = grown(this.#names, this.#used + name.length);
    // One more than there are children: a name ends where the next one begins.
    if (this.length + 2 > this.#starts.length) {
      const starts = new Uint32Array(2 * this.#starts.length);
      starts.set(this.#starts);
      this.#starts = starts;
      this.#types = grown(this.#types, starts.length);
    }
    this.#names.set(name, this.#used);
    this.#types[this.length] = type;
    this.#used += name.length;
    this.#starts[++this.length] = this.#used;
  }

  /** Puts the children into byte order of their names. */
  sort(): this {
    const names = this.#names, starts = this.#starts;
    const order = new Uint32Array(this.length);
    for (let i = 0; i < order.length; i++) order[i] = i;
    order.sort((a, b) => {
      const startA = starts[a], startB = starts[b];
      const lengthA = starts[a + 1] - startA, lengthB = starts[b + 1] - startB;
      const shared = lengthA < lengthB ? lengthA : lengthB;
      for (let i = 0; i < shared; i++) {
        const difference = names[startA + i] - names[startB + i];
        if (difference !== 0) return difference;
      }
      return lengthA - lengthB;
    });
    this.#order = order;
    return this;
  }

  /** Name of child `i` (in byte order once sorted), a copy. */
  nameAt(i: number): Uint8Array<ArrayBuffer> {
    const index = this.#order ? this.#order[i] : i;
    return this.#names.slice(this.#starts[index], this.#starts[index + 1]);
  }

  typeAt(i: number): number {
    return this.#types[this.#order ? this.#order[i] : i];
  }
}

function grown(old: Uint8Array<ArrayBuffer>, least: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(2 * old.length, least));
  larger.set(old);
  return larger;
}
