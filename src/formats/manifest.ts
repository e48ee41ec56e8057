/** The manifest of a snapshot, `index.json` (`spec/manifest-and-crypto.md` §1). */
import { toHex } from "../base/bytes.ts";
import { DozoError, FormatError } from "../base/errors.ts";
import { archiveName, ENCRYPTED_KEY_NAME, isStoredName, splitArchiveNames, storedName } from "./archive_name.ts";
import { type BackupType, isBackupId, isBackupType } from "./backup_path.ts";
import { decodeBlob, encodeBlob, isEncryptedBlob } from "./blob.ts";
import { type CryptKey, formatFingerprint, parseFingerprint, shortFingerprint } from "./crypt_key.ts";
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue, parseJsonObject, prettyJson } from "./json.ts";

/** How the content of a file is protected (`spec/manifest-and-crypto.md` §3). */
export type CryptMode = "none" | "sign-only" | "encrypt";

/** One file of a snapshot, in the spelling of the JSON. */
export interface ManifestFile {
  readonly filename: string;
  readonly "crypt-mode": CryptMode;
  /** Index: logical size of the archive; blob: size of the encoded file. Bytes. */
  readonly size: number;
  /** 64 lower-case hex digits. Index: recomputed index checksum; blob: SHA-256 of the encoded file. */
  readonly csum: string;
}

/** What a session uploaded, added by the server at the end. */
export interface ChunkUploadStats {
  readonly count: number;
  readonly size: number;
  readonly compressed_size: number;
  readonly duplicates: number;
}

/** Result of the last verification. */
export interface VerifyState {
  readonly upid: string;
  readonly state: "ok" | "failed";
}

const MAX_MANIFEST_SIZE = 4 * 1024 * 1024;
const MAX_FILES = 16384;
const CRYPT_MODES: readonly string[] = ["none", "sign-only", "encrypt"];

/** A manifest. Holds the JSON as it was read, so that unknown members survive a rewrite and the signature stays valid. */
export class Manifest {
  readonly #json: JsonObject;
  #files: ManifestFile[];

  private constructor(json: JsonObject) {
    this.#json = json;
    this.#files = readFiles(json["files"]);
  }

  /** An empty, unsigned manifest. `time` in epoch seconds. */
  static create(snapshot: { type: string; id: string; time: number }): Manifest {
    const json = {
      "backup-type": snapshot.type,
      "backup-id": snapshot.id,
      "backup-time": snapshot.time,
      files: [],
      signature: null,
      unprotected: {},
    };
    checkSnapshot(json);
    return new Manifest(json);
  }

  /** Parses the JSON text. Throws {@link FormatError} for anything that §1.1 and §1.2 do not allow. */
  static parse(text: Uint8Array | string): Manifest {
    const json = parseJsonObject(text, "manifest", MAX_MANIFEST_SIZE);
    checkSnapshot(json);
    return new Manifest(json);
  }

  /** Reads `index.json.blob`. Throws {@link FormatError} when it is damaged or, against the format, encrypted. */
  static async decode(blob: Uint8Array): Promise<Manifest> {
    if (isEncryptedBlob(blob)) throw new FormatError("manifest is encrypted, which the format does not allow");
    return Manifest.parse(await decodeBlob(blob, { maxSize: MAX_MANIFEST_SIZE }));
  }

  /** Content of `index.json.blob`: compressed when that is smaller, never encrypted. */
  encode(): Promise<Uint8Array<ArrayBuffer>> {
    return encodeBlob(new TextEncoder().encode(this.toText()));
  }

  get backupType(): BackupType {
    return this.#json["backup-type"] as BackupType;
  }

  get backupId(): string {
    return this.#json["backup-id"] as string;
  }

  /** Epoch seconds. */
  get backupTime(): number {
    return this.#json["backup-time"] as number;
  }

  /** All files in upload order. */
  get files(): readonly ManifestFile[] {
    return this.#files;
  }

  /** The part that is not signed; change it freely. */
  get unprotected(): JsonObject {
    return this.#json["unprotected"] as JsonObject;
  }

  /** 64 hex digits, or null when the manifest is unsigned. */
  get signature(): string | null {
    return (this.#json["signature"] as string | null | undefined) ?? null;
  }

  /** Fingerprint of the key that signed, if one is recorded. Throws {@link FormatError} when it is malformed. */
  get fingerprint(): Uint8Array<ArrayBuffer> | undefined {
    const text = this.unprotected["key-fingerprint"];
    if (text === undefined || text === null) return undefined;
    if (typeof text !== "string") throw new FormatError("manifest: key-fingerprint is not text");
    return parseFingerprint(text);
  }

  /** Notes of the snapshot; setting undefined or "" removes them. */
  get notes(): string | undefined {
    const notes = this.unprotected["notes"];
    return typeof notes === "string" ? notes : undefined;
  }

  set notes(text: string | undefined) {
    if (text) this.unprotected["notes"] = text;
    else delete this.unprotected["notes"];
  }

  /** Result of the last verification, undefined when there is none or it is not well formed. */
  get verifyState(): VerifyState | undefined {
    const state = this.unprotected["verify_state"];
    if (!isJsonObject(state) || typeof state["upid"] !== "string") return undefined;
    return state["state"] === "ok" || state["state"] === "failed"
      ? { upid: state["upid"], state: state["state"] }
      : undefined;
  }

  set verifyState(state: VerifyState | undefined) {
    if (state) this.unprotected["verify_state"] = { ...state };
    else delete this.unprotected["verify_state"];
  }

  /** Records what the session uploaded. */
  set chunkUploadStats(stats: ChunkUploadStats) {
    this.unprotected["chunk_upload_stats"] = { ...stats };
  }

  /** Adds a file. Throws {@link FormatError} for a name, size or checksum that the format does not allow. */
  addFile(file: ManifestFile): void {
    const files = this.#json["files"] as JsonValue[];
    const { filename, size, csum } = file;
    const entry = { filename, "crypt-mode": file["crypt-mode"], size, csum };
    this.#files = [...this.#files, readFile(entry, files.length)];
    files.push(entry);
  }

  /** The file under its client or stored name (`spec/datastore-layout.md` §2.3), undefined when it is not listed. */
  find(name: string): ManifestFile | undefined {
    const stored = storedName(name);
    return this.#files.find(({ filename }) => filename === stored);
  }

  /** As {@link find}, but throws {@link DozoError} (404) when the file is not listed. */
  file(name: string): ManifestFile {
    const file = this.find(name);
    if (file) return file;
    const names = this.#files.map(({ filename }) => archiveName(filename)).join(", ") || "none";
    throw new DozoError(`the snapshot has no archive '${name}' (it has: ${names})`, { status: 404 });
  }

  /** The two halves of a split archive from any of its names, undefined unless both are listed. */
  findSplit(name: string): { metadata: ManifestFile; payload: ManifestFile } | undefined {
    const names = splitArchiveNames(name);
    const metadata = names && this.find(names.metadata);
    const payload = names && this.find(names.payload);
    return metadata && payload ? { metadata, payload } : undefined;
  }

  /** The bytes that are signed: everything but `signature` and `unprotected`, in canonical form (§1.3). */
  canonical(): string {
    const { signature: _signature, unprotected: _unprotected, ...signed } = this.#json;
    return canonicalJson(signed);
  }

  /** HMAC of {@link canonical} with `key`, as 64 hex digits. */
  computeSignature(key: CryptKey): string {
    return toHex(key.authTag(new TextEncoder().encode(this.canonical())));
  }

  /** Signs with `key` and records its fingerprint. Add all files first. */
  sign(key: CryptKey): void {
    this.#json["signature"] = this.computeSignature(key);
    this.unprotected["key-fingerprint"] = formatFingerprint(key.fingerprint);
  }

  /**
   * Checks the signature (§4.1). Returns false when there is none, which is allowed. Throws {@link DozoError} when it was
   * made with another key or does not match.
   */
  verify(key: CryptKey): boolean {
    const { signature, fingerprint } = this;
    if (signature === null) return false;
    const own = formatFingerprint(key.fingerprint);
    if (fingerprint && formatFingerprint(fingerprint) !== own) {
      throw new DozoError(
        `wrong key - unable to verify signature since manifest's key ${shortFingerprint(fingerprint)} ` +
          `does not match provided key ${shortFingerprint(key.fingerprint)}`,
      );
    }
    if (signature.toLowerCase() !== this.computeSignature(key)) {
      throw new DozoError("wrong signature in manifest: it was changed, or signed with another key");
    }
    return true;
  }

  /**
   * Checks that the key in use is the one of this backup (§4.2). Throws {@link DozoError} when the manifest names a key
   * and none or another one is given. The wrapped key itself may be read without a key: pass its name as `archive`.
   */
  checkKey(key: CryptKey | undefined, archive?: string): void {
    const { fingerprint } = this;
    if (!fingerprint) return;
    if (!key) {
      if (archive !== undefined && storedName(archive) === ENCRYPTED_KEY_NAME) return;
      throw new DozoError(`missing key - manifest was created with key ${shortFingerprint(fingerprint)}`);
    }
    if (formatFingerprint(fingerprint) !== formatFingerprint(key.fingerprint)) {
      throw new DozoError(
        `wrong key - manifest's key ${shortFingerprint(fingerprint)} ` +
          `does not match provided key ${shortFingerprint(key.fingerprint)}`,
      );
    }
  }

  /** The JSON text as it is stored: pretty, members sorted. */
  toText(): string {
    return prettyJson(this.#json);
  }
}

/** Checks and completes the members that are not files. */
function checkSnapshot(json: JsonObject): void {
  const { "backup-type": type, "backup-id": id, "backup-time": time, signature } = json;
  if (typeof type !== "string" || !isBackupType(type)) {
    throw new FormatError("manifest: backup-type is not vm, ct or host");
  }
  if (typeof id !== "string" || !isBackupId(id)) {
    throw new FormatError("manifest: backup-id is missing or malformed");
  }
  if (typeof time !== "number" || !Number.isSafeInteger(time)) {
    throw new FormatError("manifest: backup-time is not an integer");
  }
  if (signature !== undefined && signature !== null && typeof signature !== "string") {
    throw new FormatError("manifest: signature is not text");
  }
  if (json["unprotected"] === undefined || json["unprotected"] === null) json["unprotected"] = {};
  else if (!isJsonObject(json["unprotected"])) throw new FormatError("manifest: unprotected is not an object");
}

function readFiles(files: JsonValue | undefined): ManifestFile[] {
  if (!Array.isArray(files)) throw new FormatError("manifest: files is not an array");
  if (files.length > MAX_FILES) throw new FormatError(`manifest: more than ${MAX_FILES} files`);
  return files.map(readFile);
}

function readFile(file: JsonValue, index: number): ManifestFile {
  const fault = (what: string) => new FormatError(`manifest: file ${index + 1}: ${what}`);
  if (!isJsonObject(file)) throw fault("not an object");
  const { filename, "crypt-mode": mode = "none", size, csum } = file;
  if (typeof filename !== "string" || !isStoredName(filename)) throw fault("filename is missing or malformed");
  if (typeof mode !== "string" || !CRYPT_MODES.includes(mode)) throw fault("unknown crypt-mode");
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) throw fault("size is not a byte count");
  if (typeof csum !== "string" || !/^[0-9a-fA-F]{64}$/.test(csum)) throw fault("csum is not 64 hex digits");
  return { filename, "crypt-mode": mode as CryptMode, size, csum: csum.toLowerCase() };
}
