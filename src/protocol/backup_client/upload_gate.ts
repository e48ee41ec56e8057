/** Bounds what is on its way to the server. */

/** Lets uploads in, in order, while both their number and their bytes stay within bounds. */
export class UploadGate {
  readonly #maxCount: number;
  readonly #maxBytes: number;
  readonly #waiting: { readonly bytes: number; readonly enter: () => void }[] = [];
  #count = 0;
  #bytes = 0;

  /** One upload of more than `maxBytes` still passes when it is alone. */
  constructor(maxCount: number, maxBytes: number) {
    this.#maxCount = maxCount;
    this.#maxBytes = maxBytes;
  }

  /** Resolves when an upload of `bytes` may start. Pair each call with {@link leave}. */
  async enter(bytes: number): Promise<void> {
    if (this.#waiting.length === 0 && this.#fits(bytes)) return this.#admit(bytes);
    await new Promise<void>((resolve) => this.#waiting.push({ bytes, enter: resolve }));
  }

  /** An upload of `bytes` was answered. */
  leave(bytes: number): void {
    this.#count--;
    this.#bytes -= bytes;
    while (this.#waiting.length > 0 && this.#fits(this.#waiting[0].bytes)) {
      const next = this.#waiting.shift() as { bytes: number; enter: () => void };
      this.#admit(next.bytes);
      next.enter();
    }
  }

  #fits(bytes: number): boolean {
    return this.#count === 0 || (this.#count < this.#maxCount && this.#bytes + bytes <= this.#maxBytes);
  }

  #admit(bytes: number): void {
    this.#count++;
    this.#bytes += bytes;
  }
}
