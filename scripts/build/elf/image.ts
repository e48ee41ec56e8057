/** Reads what the build needs from a 64-bit little-endian ELF executable: program headers and the loader's relocations. */

/** One program header. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  readonly alignment: number;
  /** Where this header itself is in the file. */
  readonly headerAt: number;
}

export const PT_LOAD = 1;
export const PT_NOTE = 4;
const PT_DYNAMIC = 2;
const DT = { pltRelSize: 2, strTab: 5, symTab: 6, rela: 7, relaSize: 8, jmpRel: 23 } as const;
/** GLOB_DAT and JUMP_SLOT of both machines: relocations that store a function's address. */
const ADDRESS_RELOCATIONS: Readonly<Record<number, readonly number[]>> = { 62: [6, 7], 183: [1025, 1026] };

export class ElfImage {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly view: DataView;
  readonly segments: readonly Segment[];

  /** Throws when `bytes` is not a position-independent ELF executable for x86-64 or AArch64. */
  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const ident = [...bytes.subarray(0, 6)].join();
    if (ident !== "127,69,76,70,2,1") throw new Error("not a 64-bit little-endian ELF file");
    if (this.view.getUint16(16, true) !== 3) throw new Error("not a position-independent executable");
    if (!(this.machine in ADDRESS_RELOCATIONS)) throw new Error(`no start-up code for ELF machine ${this.machine}`);
    const start = this.number(32);
    const size = this.view.getUint16(54, true);
    this.segments = Array.from({ length: this.view.getUint16(56, true) }, (_, i) => this.#segment(start + i * size));
  }

  /** 62 is x86-64, 183 is AArch64. */
  get machine(): number {
    return this.view.getUint16(18, true);
  }

  /** Address of the first instruction, relative to the load address. */
  get entry(): number {
    return this.number(24);
  }

  /** The 64-bit number at a file offset. */
  number(offset: number): number {
    return Number(this.view.getBigUint64(offset, true));
  }

  /** Address of the slot into which the dynamic loader writes the address of the imported function `name`. */
  importSlot(name: string): number {
    const dynamic = this.#dynamicEntries();
    const need = (tag: number): number => {
      const value = dynamic.get(tag);
      if (value === undefined) throw new Error(`the executable has no dynamic entry ${tag}`);
      return value;
    };
    const symbols = this.#fileOffset(need(DT.symTab));
    const names = this.#fileOffset(need(DT.strTab));
    const tables = [[need(DT.rela), need(DT.relaSize)], [dynamic.get(DT.jmpRel) ?? 0, dynamic.get(DT.pltRelSize) ?? 0]];
    for (const [table, size] of tables) {
      const start = size > 0 ? this.#fileOffset(table) : 0;
      for (let at = start; at < start + size; at += 24) {
        const info = this.view.getBigUint64(at + 8, true);
        if (!ADDRESS_RELOCATIONS[this.machine].includes(Number(info & 0xffff_ffffn))) continue;
        const symbol = symbols + Number(info >> 32n) * 24;
        if (this.#text(names + this.view.getUint32(symbol, true)) === name) return this.number(at);
      }
    }
    throw new Error(`the executable does not import '${name}'`);
  }

  #dynamicEntries(): Map<number, number> {
    const segment = this.segments.find((segment) => segment.type === PT_DYNAMIC);
    if (!segment) throw new Error("the executable is not dynamically linked");
    const entries = new Map<number, number>();
    for (let at = segment.offset; at < segment.offset + segment.fileSize; at += 16) {
      entries.set(this.number(at), this.number(at + 8));
    }
    return entries;
  }

  #fileOffset(address: number): number {
    const home = this.segments.find((segment) =>
      segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.fileSize
    );
    if (!home) throw new Error(`address 0x${address.toString(16)} is in no segment`);
    return address - home.address + home.offset;
  }

  #text(offset: number): string {
    return new TextDecoder().decode(this.bytes.subarray(offset, this.bytes.indexOf(0, offset)));
  }

  #segment(at: number): Segment {
    return {
      type: this.view.getUint32(at, true),
      flags: this.view.getUint32(at + 4, true),
      offset: this.number(at + 8),
      address: this.number(at + 16),
      fileSize: this.number(at + 32),
      memorySize: this.number(at + 40),
      alignment: this.number(at + 48),
      headerAt: at,
    };
  }
}
