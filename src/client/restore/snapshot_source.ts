/** A snapshot as restore commands see it: checked manifest, checked indexes, decoded and verified chunks. */
import { bytesEqual, fromHex, toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { archiveKind, MANIFEST_NAME } from "../../formats/archive_name.ts";
import { decodeBlob, isEncryptedBlob, MAX_CHUNK_SIZE } from "../../formats/blob.ts";
import type { CryptKey } from "../../formats/crypt_key.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";
import type { ChunkIndex } from "../../formats/index_source.ts";
import { Manifest, type ManifestFile } from "../../formats/manifest.ts";
import { sha256 } from "../../native/crypto.ts";
import type { ReaderSession } from "../../protocol/reader_client/reader_session.ts";
import type { RateLimit } from "../upload/rate_limit.ts";

/** One archive of the snapshot with its checked index. */
export interface IndexedArchive {
  readonly file: ManifestFile;
  readonly index: ChunkIndex;
}

/** An open reader session with its manifest. */
export class SnapshotSource {
  readonly manifest: Manifest;
  readonly session: ReaderSession;
  readonly #key?: CryptKey;
  readonly #rate?: RateLimit;

  private constructor(session: ReaderSession, manifest: Manifest, key?: CryptKey, rate?: RateLimit) {
    this.session = session;
    this.manifest = manifest;
    this.#key = key;
    this.#rate = rate;
  }

  /** Downloads the manifest; with a key its signature is checked. Throws {@link DozoError}. */
  static async open(session: ReaderSession, key?: CryptKey, rate?: RateLimit): Promise<SnapshotSource> {
    const manifest = await Manifest.decode(await session.download(MANIFEST_NAME, MAX_CHUNK_SIZE));
    if (key) manifest.verify(key);
    return new SnapshotSource(session, manifest, key, rate);
  }

  /**
   * Content of a blob file. The encoded file must be what the manifest says. `name` in client or stored form.
   * Throws {@link DozoError} when it is missing, damaged or needs another key.
   */
  async blob(name: string): Promise<Uint8Array> {
    const file = this.manifest.file(name);
    const encoded = await this.session.download(file.filename);
    if (encoded.length !== file.size || toHex(await sha256(encoded)) !== file.csum) {
      throw new DozoError(`'${file.filename}' is not what the manifest lists: wrong size or checksum`);
    }
    return await decodeBlob(encoded, { key: isEncryptedBlob(encoded) ? this.#key : undefined });
  }

  /** Opens an archive: its recomputed checksum and size must be those of the manifest. Throws {@link DozoError}. */
  async archive(name: string): Promise<IndexedArchive> {
    const file = this.manifest.file(name);
    const kind = archiveKind(file.filename);
    if (kind === "blob") throw new DozoError(`'${file.filename}' has no chunks: it is a blob`);
    const bytes = await this.session.download(file.filename);
    const index = kind === "fixed" ? new FixedIndex(bytes) : new DynamicIndex(bytes);
    await checkIndex(index, file);
    return { file, index };
  }

  /**
   * Decodes one encoded chunk of `file`; digest, encryption and length must be as announced. Gives the memory of `encoded`
   * back to the session unless the content is a view of it.
   */
  async decode(file: ManifestFile, encoded: Uint8Array<ArrayBuffer>, digest: Uint8Array): Promise<Uint8Array> {
    await this.#rate?.take(encoded.length);
    const encrypted = isEncryptedBlob(encoded);
    if (encrypted !== (file["crypt-mode"] === "encrypt")) {
      throw new DozoError(
        `chunk ${toHex(digest)} of '${file.filename}' is ${encrypted ? "" : "not "}encrypted, ` +
          `but the manifest says crypt-mode '${file["crypt-mode"]}'`,
      );
    }
    const content = await decodeBlob(encoded, { key: this.#key, maxSize: MAX_CHUNK_SIZE, digest });
    if (content.buffer !== encoded.buffer) this.session.recycle(encoded);
    return content;
  }
}

/** Compares an index with its manifest entry, from the entries, never from the header. Throws {@link DozoError}. */
export async function checkIndex(index: ChunkIndex, file: ManifestFile): Promise<void> {
  if (index.size !== file.size || !bytesEqual(await index.csum(), fromHex(file.csum))) {
    throw new DozoError(`index '${file.filename}' is not what the manifest lists: wrong size or checksum`);
  }
}
