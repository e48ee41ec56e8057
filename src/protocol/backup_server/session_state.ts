/** State of one backup session: writers, known chunks, counters (`spec/backup-protocol.md` §6). */
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import type { InsertResult, UploadStats } from "../../datastore/types.ts";
import { DigestMap } from "../session/digest_map.ts";
import { type ChunkUse, DynamicSessionWriter, FixedSessionWriter, noUploads } from "./index_writers.ts";

/** Highest writer id that the other calls accept. */
const MAX_WRITERS = 256;

/** `failed`: a finish went wrong after its first checks, the session cannot become valid any more. */
type Phase = "open" | "finishing" | "failed" | "finished";

/** What a session knows. All changes happen between two awaits: requests of one connection run side by side. */
export class SessionState {
  /** Chunks that this session may refer to, with their plain size. */
  readonly known = new DigestMap();
  readonly stats: UploadStats = noUploads();
  readonly #writers = new Map<number, FixedSessionWriter | DynamicSessionWriter>();
  #lastId = 0;
  #files = 0;
  #phase: Phase = "open";

  get finished(): boolean {
    return this.#phase === "finished";
  }

  /** Throws once the session has finished, or tried to. */
  checkOpen(): void {
    if (this.#phase === "finished") throw new DozoError("backup already marked as finished.");
    if (this.#phase !== "open") throw new DozoError("backup is already in the process of finishing.");
  }

  /** Throws while nothing may be written: a blob after a failed finish is harmless, since the snapshot is removed. */
  checkBlobAllowed(): void {
    if (this.#phase !== "failed") this.checkOpen();
  }

  /** Registers a new writer under the next id. */
  addWriter<W extends FixedSessionWriter | DynamicSessionWriter>(make: (wid: number) => W): W {
    this.checkOpen();
    if (this.#lastId >= MAX_WRITERS) throw new DozoError(`a backup session can have at most ${MAX_WRITERS} indexes`);
    const writer = make(this.#lastId + 1);
    this.#lastId++;
    this.#writers.set(writer.wid, writer);
    return writer;
  }

  fixedWriter(wid: number): FixedSessionWriter {
    this.checkOpen();
    const writer = this.#writers.get(wid);
    if (writer instanceof FixedSessionWriter) return writer;
    throw new DozoError(`fixed writer '${wid}' not registered`);
  }

  dynamicWriter(wid: number): DynamicSessionWriter {
    this.checkOpen();
    const writer = this.#writers.get(wid);
    if (writer instanceof DynamicSessionWriter) return writer;
    throw new DozoError(`dynamic writer '${wid}' not registered`);
  }

  /** Notes an uploaded chunk: it counts for its writer, and may be referred to from now on. */
  addChunk(
    writer: FixedSessionWriter | DynamicSessionWriter,
    chunk: { digest: Uint8Array; size: number },
    stored: InsertResult,
  ): void {
    writer.countUpload(chunk.size, stored);
    this.known.set(chunk.digest, chunk.size);
  }

  /** The chunk with `digest` at `offset` of an index. Throws when the session does not know it. */
  use(digest: Uint8Array, offset: number): ChunkUse {
    const length = this.known.get(digest);
    if (length === undefined) throw new DozoError(`no such chunk ${toHex(digest)}`);
    return { offset, length, digest };
  }

  /** A writer's index is stored. */
  closed(writer: FixedSessionWriter | DynamicSessionWriter): void {
    this.#writers.delete(writer.wid);
    this.#files++;
    this.stats.count += writer.stats.count;
    this.stats.size += writer.stats.size;
    this.stats.compressedSize += writer.stats.compressedSize;
    this.stats.duplicates += writer.stats.duplicates;
  }

  /** A blob of `size` encoded bytes is stored. */
  blobStored(size: number): void {
    this.#files++;
    this.stats.size += size;
  }

  /** Runs the end of the backup. Refusals before `commit` starts leave the session usable. */
  async finish(commit: () => Promise<void>): Promise<void> {
    this.checkOpen();
    if (this.#writers.size > 0) throw new DozoError("found open index writer - unable to finish backup");
    if (this.#files === 0) throw new DozoError("backup does not contain valid files (file count == 0)");
    this.#phase = "finishing";
    try {
      await commit();
      this.#phase = "finished";
    } catch (error) {
      this.#phase = "failed";
      throw error;
    }
  }
}
