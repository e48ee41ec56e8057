/**
 * The few x86-64 instructions of the start-up stub, as an assembler: each method emits one instruction at `address`.
 * Addresses are relative to the image's load address, so that everything is position-independent.
 */
export class X8664 {
  readonly #code: number[] = [];
  readonly #base: number;

  constructor(base: number) {
    this.#base = base;
  }

  /** Length of the code so far in bytes. */
  get size(): number {
    return this.#code.length;
  }

  /** The machine code. */
  bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#code);
  }

  /** mov r12, rdx: keeps what the dynamic loader hands to the program in a register that calls preserve. */
  saveLoaderArgument(): void {
    this.#emit(0x49, 0x89, 0xd4);
  }

  /** mov rdx, r12. */
  restoreLoaderArgument(): void {
    this.#emit(0x4c, 0x89, 0xe2);
  }

  /** lea rdi, [rip + …]. */
  loadFirstArgument(target: number): void {
    this.#emit(0x48, 0x8d, 0x3d, ...this.#relative(target, 7));
  }

  /** lea rsi, [rip + …]. */
  loadSecondArgument(target: number): void {
    this.#emit(0x48, 0x8d, 0x35, ...this.#relative(target, 7));
  }

  /** mov edx, value. */
  setThirdArgument(value: number): void {
    this.#emit(0xba, ...little(value));
  }

  /** call [rip + …]: calls the function whose address the loader wrote at `slot`. */
  callThrough(slot: number): void {
    this.#emit(0xff, 0x15, ...this.#relative(slot, 6));
  }

  /**
   * Makes room for `count` (even, so that the stack stays aligned) arguments behind argv[0]: the stack holds argc, argv[0],
   * argv[1] …; argc and argv[0] move down, what follows stays where it is.
   */
  makeRoomForArguments(count: number): void {
    this.#emit(0x48, 0x8b, 0x04, 0x24); // mov rax, [rsp]
    this.#emit(0x48, 0x8b, 0x4c, 0x24, 0x08); // mov rcx, [rsp + 8]
    this.#emit(0x48, 0x81, 0xec, ...little(count * 8)); // sub rsp, 8 * count
    this.#emit(0x48, 0x05, ...little(count)); // add rax, count
    this.#emit(0x48, 0x89, 0x04, 0x24); // mov [rsp], rax
    this.#emit(0x48, 0x89, 0x4c, 0x24, 0x08); // mov [rsp + 8], rcx
  }

  /** argv[index] = address of `target`. */
  storeArgument(index: number, target: number): void {
    this.#emit(0x48, 0x8d, 0x05, ...this.#relative(target, 7)); // lea rax, [rip + …]
    this.#emit(0x48, 0x89, 0x84, 0x24, ...little(8 + index * 8)); // mov [rsp + …], rax
  }

  /** jmp target. */
  jump(target: number): void {
    this.#emit(0xe9, ...this.#relative(target, 5));
  }

  #relative(target: number, length: number): number[] {
    return little(target - (this.#base + this.#code.length + length));
  }

  #emit(...bytes: number[]): void {
    this.#code.push(...bytes);
  }
}

function little(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >> 24) & 0xff];
}
