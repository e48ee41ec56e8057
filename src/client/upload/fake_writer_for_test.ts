/** Test help: an index writer that keeps what it is given, as a server would see it. */
import { concatBytes, toHex } from "../../base/bytes.ts";
import { decodeBlob } from "../../formats/blob.ts";
import type { CryptKey } from "../../formats/crypt_key.ts";
import type { KnownChunks } from "../../protocol/backup_client/backup_session.ts";
import type { IndexSummary, IndexWriter } from "../../protocol/backup_client/index_writer.ts";

/** Chunks known to a fake server by the hex of their digest. */
export class FakeKnown implements KnownChunks {
  readonly sizes = new Map<string, number>();
  get count(): number {
    return this.sizes.size;
  }
  get(digest: Uint8Array): number | undefined {
    return this.sizes.get(toHex(digest));
  }
  add(digest: Uint8Array, size: number): void {
    this.sizes.set(toHex(digest), size);
  }
}

/** How a {@link FakeWriter} behaves. */
export interface FakeWriterOptions {
  readonly key?: CryptKey;
  /** Fails with this number of the call (from 1). */
  readonly failAt?: number;
  /** Uploads that may be unanswered before `upload` waits. */
  readonly inFlight?: number;
}

/** Collects uploads and references; refuses a reference to a chunk that nobody knows. */
export class FakeWriter implements IndexWriter {
  readonly wid = 1;
  readonly events: string[] = [];
  readonly digests: Uint8Array[] = [];
  offset = 0;
  closed = false;
  readonly #known: FakeKnown;
  readonly #options: FakeWriterOptions;
  readonly #content: Map<string, Uint8Array>;
  readonly #unanswered = new Set<Promise<void>>();
  #calls = 0;

  constructor(known: FakeKnown, content: Map<string, Uint8Array>, options: FakeWriterOptions = {}) {
    this.#known = known;
    this.#content = content;
    this.#options = options;
  }

  async upload(chunk: { digest: Uint8Array; size: number; encoded: Uint8Array; sent?: () => void }): Promise<void> {
    this.#step();
    const answered = this.#store(chunk).finally(() => chunk.sent?.());
    this.#unanswered.add(answered);
    answered.finally(() => this.#unanswered.delete(answered));
    this.#known.add(chunk.digest, chunk.size);
    this.#append("upload", chunk);
    while (this.#unanswered.size > (this.#options.inFlight ?? 2)) await Promise.race(this.#unanswered);
  }

  reuse(chunk: { digest: Uint8Array; size: number }): Promise<void> {
    this.#step();
    if (this.#known.get(chunk.digest) !== chunk.size) throw new Error("reference to an unknown chunk");
    this.#append("reuse", chunk);
    return Promise.resolve();
  }

  async close(): Promise<IndexSummary> {
    await Promise.all(this.#unanswered);
    this.closed = true;
    const uploaded = this.events.filter((event) => event === "upload").length;
    return {
      size: this.offset,
      chunkCount: this.digests.length,
      csum: new Uint8Array(32),
      uploadedChunks: uploaded,
      uploadedSize: 0,
      uploadedEncodedSize: 0,
      reusedChunks: this.digests.length - uploaded,
      reusedSize: 0,
    };
  }

  /** The stream as a restore would put it together. */
  restored(): Uint8Array {
    return concatBytes(...this.digests.map((digest) => this.#content.get(toHex(digest)) as Uint8Array));
  }

  #step(): void {
    if (++this.#calls === this.#options.failAt) throw new Error("the server refuses");
  }

  #append(event: string, { digest, size }: { digest: Uint8Array; size: number }): void {
    this.events.push(event);
    this.digests.push(digest.slice());
    this.offset += size;
  }

  /** Takes a while, and looks at the bytes only then: they must not have changed. */
  async #store({ digest, size, encoded }: { digest: Uint8Array; size: number; encoded: Uint8Array }): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, 1));
    const data = await decodeBlob(encoded, { key: this.#options.key, digest });
    if (data.length !== size) throw new Error("wrong size");
    this.#content.set(toHex(digest), data.slice());
  }
}
