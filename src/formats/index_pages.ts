/** Growing storage of index writers: slots of one size in pages, so that growth never copies and gaps cost nothing. */

const PAGE_SLOTS = 8192;

interface Page {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly taken: Uint8Array;
}

/** Slots of `slotSize` bytes addressed by number; memory is used only where something was stored. */
export class IndexPages {
  readonly #pages: (Page | undefined)[] = [];
  readonly #slotSize: number;
  #filled = 0;

  constructor(slotSize: number) {
    this.#slotSize = slotSize;
  }

  /** Number of different slots that hold something. */
  get filled(): number {
    return this.#filled;
  }

  /** The bytes of slot `slot`, which counts as filled from now on. */
  take(slot: number): Uint8Array<ArrayBuffer> {
    const number = Math.floor(slot / PAGE_SLOTS);
    const page = this.#pages[number] ??= {
      bytes: new Uint8Array(PAGE_SLOTS * this.#slotSize),
      taken: new Uint8Array(PAGE_SLOTS),
    };
    const within = slot % PAGE_SLOTS;
    if (page.taken[within] === 0) {
      page.taken[within] = 1;
      this.#filled++;
    }
    return page.bytes.subarray(within * this.#slotSize, (within + 1) * this.#slotSize);
  }

  /** The first `count` slots in order, all of which must be filled. */
  *pieces(count: number): Generator<Uint8Array<ArrayBuffer>, void, void> {
    for (let first = 0; first < count; first += PAGE_SLOTS) {
      const page = this.#pages[first / PAGE_SLOTS];
      if (!page) throw new RangeError(`slots from ${first} on are empty`);
      yield page.bytes.subarray(0, Math.min(PAGE_SLOTS, count - first) * this.#slotSize);
    }
  }
}
