/** Test help: a reader session over a snapshot in memory. */
import { concatBytes, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { MANIFEST_NAME } from "../../formats/archive_name.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { chunkDigest, type CryptKey } from "../../formats/crypt_key.ts";
import { DynamicIndexWriter, FixedIndexWriter } from "../../formats/index_writer.ts";
import { type CryptMode, Manifest } from "../../formats/manifest.ts";
import { sha256 } from "../../native/crypto.ts";
import type { ReaderSession } from "../../protocol/reader_client/reader_session.ts";
import { readAhead } from "../../protocol/reader_client/read_ahead.ts";

/** Files and chunks by name and digest; what was fetched is counted, and answers come in a mixed order. */
export class FakeSession implements ReaderSession {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly chunkFiles = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly fetched: string[] = [];
  readonly closed = new Promise<{ error?: Error }>(() => {});
  readonly #manifest = Manifest.create({ type: "host", id: "test", time: 1752537600 });
  readonly #key?: CryptKey;
  readonly #mode: CryptMode;

  constructor(options: { key?: CryptKey; mode?: CryptMode } = {}) {
    this.#key = options.key;
    this.#mode = options.mode ?? (options.key ? "encrypt" : "none");
  }

  /** Adds an archive of the given chunks: equally long ones for `.fidx`. */
  async add(filename: string, chunks: readonly Uint8Array[]): Promise<void> {
    const key = this.#mode === "encrypt" ? this.#key : undefined;
    const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    const dynamic = new DynamicIndexWriter({ ctime: 1 });
    const fixed = filename.endsWith(".fidx")
      ? new FixedIndexWriter({ ctime: 1, size, chunkSize: Math.max(4096, chunks[0].length) })
      : undefined;
    let offset = 0;
    for (const chunk of chunks) {
      const digest = await chunkDigest(chunk, key);
      if (fixed) fixed.set(offset, chunk.length, digest);
      else dynamic.append(offset, chunk.length, digest);
      offset += chunk.length;
      this.chunkFiles.set(toHex(digest), await encodeBlob(chunk, { key }));
    }
    const { parts, csum } = await (fixed ?? dynamic).finish();
    this.files.set(filename, concatBytes(...parts));
    this.#manifest.addFile({ filename, "crypt-mode": this.#mode, size, csum: toHex(csum) });
  }

  /** Adds a blob. */
  async addBlob(filename: string, content: Uint8Array): Promise<void> {
    const encoded = await encodeBlob(content, { key: this.#mode === "encrypt" ? this.#key : undefined });
    this.files.set(filename, encoded);
    const csum = toHex(await sha256(encoded));
    this.#manifest.addFile({ filename, "crypt-mode": this.#mode, size: encoded.length, csum });
  }

  /** Signs and stores the manifest. */
  async seal(): Promise<this> {
    if (this.#key) this.#manifest.sign(this.#key);
    this.files.set(MANIFEST_NAME, await this.#manifest.encode());
    return this;
  }

  download(fileName: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.files.get(fileName);
    return file
      ? Promise.resolve(file)
      : Promise.reject(new DozoError("ENOENT: No such file or directory", { status: 404 }));
  }

  downloadStream(): Promise<AsyncIterable<Uint8Array>> {
    throw new Error("not used");
  }

  async chunk(digest: Uint8Array, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    const name = toHex(digest);
    this.fetched.push(name);
    await new Promise((resolve) => setTimeout(resolve, digest[0] % 4));
    signal?.throwIfAborted();
    const chunk = this.chunkFiles.get(name);
    if (!chunk) throw new DozoError(`chunk ${name} is missing`, { status: 404 });
    return chunk.slice();
  }

  /** Memory that is given back must not be looked at any more. */
  recycle(encoded: Uint8Array<ArrayBuffer>): void {
    encoded.fill(0xdd);
  }

  chunks<T>(
    digests: Iterable<Uint8Array>,
    map: (encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array) => Promise<T>,
    options: { ahead?: number; signal?: AbortSignal } = {},
  ): AsyncIterable<T> {
    return readAhead(
      digests,
      async (digest, signal) => await map(await this.chunk(digest, signal), digest),
      options.ahead ?? 8,
    );
  }

  speedtest(): Promise<number> {
    return Promise.resolve(0);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
