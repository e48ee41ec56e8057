/**
 * The few AArch64 instructions of the start-up stub, as an assembler with the same methods as the x86-64 one.
 * Addresses are relative to the image's load address; ADRP reaches ±4 GiB.
 */
export class Aarch64 {
  readonly #code: number[] = [];
  readonly #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  /** Length of the code so far in bytes. */
  get size(): number {
    return this.#code.length * 4;
  }

  /** The machine code. */
  bytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.size);
    const view = new DataView(bytes.buffer);
    this.#code.forEach((word, index) => view.setUint32(index * 4, word, true));
    return bytes;
  }

  /** mov x19, x0: keeps what the dynamic loader hands to the program in a register that calls preserve. */
  saveLoaderArgument(): void {
    this.#emit(0xaa0003f3);
  }

  /** mov x0, x19. */
  restoreLoaderArgument(): void {
    this.#emit(0xaa1303e0);
  }

  /** x0 = address of `target`. */
  loadFirstArgument(target: number): void {
    this.#address(0, target);
  }

  /** x1 = address of `target`. */
  loadSecondArgument(target: number): void {
    this.#address(1, target);
  }

  /** mov w2, #value (below 65536). */
  setThirdArgument(value: number): void {
    this.#emit(0x52800002 | ((value & 0xffff) << 5));
  }

  /** Calls the function whose address the loader wrote at `slot`. */
  callThrough(slot: number): void {
    this.#address(9, slot);
    this.#emit(0xf9400129); // ldr x9, [x9]
    this.#emit(0xd63f0120); // blr x9
  }

  /** Makes room for `count` (even) arguments behind argv[0]: argc and argv[0] move down, what follows stays. */
  makeRoomForArguments(count: number): void {
    this.#emit(0xf94003e9); // ldr x9, [sp]
    this.#emit(0xf94007ea); // ldr x10, [sp, #8]
    this.#emit(0xd10003ff | ((count * 8) << 10)); // sub sp, sp, #8 * count
    this.#emit(0x91000129 | (count << 10)); // add x9, x9, #count
    this.#emit(0xf90003e9); // str x9, [sp]
    this.#emit(0xf90007ea); // str x10, [sp, #8]
  }

  /** argv[index] = address of `target`. */
  storeArgument(index: number, target: number): void {
    this.#address(9, target);
    this.#emit(0xf90003e9 | ((index + 1) << 10)); // str x9, [sp, #8 + 8 * index]
  }

  /** br target, by a register that the platform reserves for such jumps. */
  jump(target: number): void {
    this.#address(16, target);
    this.#emit(0xd61f0200);
  }

  /** adrp + add. */
  #address(register: number, target: number): void {
    const pages = Math.floor(target / 4096) - Math.floor(this.#here() / 4096);
    this.#emit(0x90000000 | ((pages & 3) << 29) | (((pages >> 2) & 0x7ffff) << 5) | register);
    this.#emit(0x91000000 | ((target & 0xfff) << 10) | (register << 5) | register);
  }

  #here(): number {
    return this.#base + this.size;
  }

  #emit(word: number): void {
    this.#code.push(word >>> 0);
  }
}
