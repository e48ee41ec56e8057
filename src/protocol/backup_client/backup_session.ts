/** Client side of a backup session: `spec/backup-protocol.md`. */
import { fromHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { connectHttp2 } from "../http2/client.ts";
import type { ClientConnection, ConnectionEnd } from "../http2/types.ts";
import type { ServerAddress, SessionTarget } from "../server_address.ts";
import { callBytes, callJson, type CallParameters, callPath } from "../session_call.ts";
import { DigestMap } from "../session/digest_map.ts";
import { openUpgrade, sessionQuery } from "../upgrade.ts";
import { type ChunkParameters, IndexUpload, type IndexUploadHost } from "./index_upload.ts";
import type { IndexWriter } from "./index_writer.ts";
import type { BackupSession, BackupSessionOptions, KnownChunks } from "./session_types.ts";
import { UploadGate } from "./upload_gate.ts";

export type { BackupSession, BackupSessionOptions, KnownChunks } from "./session_types.ts";

const PROTOCOL = "proxmox-backup-protocol-v1";
const MIB = 1024 * 1024;
/** Largest file of a previous snapshot that is read into memory: an index of 13 million chunks. */
const MAX_PREVIOUS = 512 * MIB;
const JSON_HEADERS = { "content-type": "application/json" };
const DATA_HEADERS = { "content-type": "application/octet-stream" };

/**
 * Connects, upgrades and starts the session. Rejects with {@link DozoError}: the server's status and text when it
 * refuses (`spec/backup-protocol.md` §3).
 */
export async function openBackupSession(
  server: ServerAddress,
  target: SessionTarget,
  options: BackupSessionOptions = {},
): Promise<BackupSession> {
  const benchmark = String(options.benchmark ?? false);
  const query = sessionQuery(target, options.noCache ? { benchmark, "no-cache": "true" } : { benchmark });
  const { socket, head } = await openUpgrade(server, `/api2/json/backup?${query}`, PROTOCOL, options.signal);
  return new Session(connectHttp2(socket, head), options);
}

class Session implements BackupSession, IndexUploadHost {
  readonly knownChunks: KnownChunks = new Known();
  readonly closed: Promise<ConnectionEnd>;
  readonly #http: ClientConnection;
  readonly #gate: UploadGate;
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(http: ClientConnection, options: BackupSessionOptions) {
    this.#http = http;
    this.closed = http.closed;
    this.#gate = new UploadGate(options.uploads ?? 8, options.uploadBytes ?? 32 * MIB);
    const { signal } = options;
    const onAbort = () => this.abort(signal?.reason instanceof Error ? signal.reason : undefined);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) onAbort();
    void http.closed.then(() => signal?.removeEventListener("abort", onAbort));
  }

  async previousBackupTime(): Promise<number | null> {
    const time = await callJson(this.#http, "GET", "/previous_backup_time");
    if (time === null || Number.isSafeInteger(time)) return time as number | null;
    throw new DozoError("the server's previous_backup_time is no number", { status: 502 });
  }

  async previous(archiveName: string): Promise<Uint8Array<ArrayBuffer>> {
    return await callBytes(this.#http, callPath("previous", { "archive-name": archiveName }), MAX_PREVIOUS);
  }

  async uploadBlob(fileName: string, encoded: Uint8Array): Promise<void> {
    await this.#send("POST", "blob", { "file-name": fileName, "encoded-size": encoded.length }, encoded);
  }

  async createDynamicIndex(archiveName: string): Promise<IndexWriter> {
    return await this.#createIndex("dynamic", { "archive-name": archiveName });
  }

  async createFixedIndex(archiveName: string, size?: number): Promise<IndexWriter> {
    return await this.#createIndex("fixed", { "archive-name": archiveName, size });
  }

  async speedtest(body: Uint8Array): Promise<void> {
    await this.#send("POST", "speedtest", {}, body);
  }

  async finish(): Promise<void> {
    await this.post("finish", {});
    await this.#http.close();
  }

  abort(error?: Error): void {
    this.#http.abort(error ?? new DozoError("the backup was aborted"));
  }

  async sendChunk(
    path: string,
    parameters: ChunkParameters,
    encoded: Uint8Array,
  ): Promise<{ readonly answered: Promise<void> }> {
    await this.#gate.enter(encoded.length);
    const { digest } = parameters;
    const answered = this.#send("POST", path, { ...parameters }, encoded).finally(() => {
      this.#gate.leave(encoded.length);
      if (this.#underWay.get(digest) === answered) this.#underWay.delete(digest);
    });
    // The writer sees a failure with its next call; until then it must not count as unhandled.
    answered.catch(() => {});
    this.#underWay.set(digest, answered);
    this.knownChunks.add(fromHex(digest), parameters.size);
    return { answered };
  }

  underWay(digest: string): Promise<void> | undefined {
    return this.#underWay.get(digest);
  }

  async append(path: string, body: string): Promise<void> {
    const bytes = new TextEncoder().encode(body);
    await callJson(this.#http, "PUT", `/${path}`, { body: bytes, headers: JSON_HEADERS });
  }

  async post(path: string, parameters: CallParameters): Promise<unknown> {
    return await callJson(this.#http, "POST", callPath(path, parameters));
  }

  async #createIndex(kind: "fixed" | "dynamic", parameters: CallParameters): Promise<IndexWriter> {
    const wid = await this.post(`${kind}_index`, parameters);
    if (!Number.isSafeInteger(wid)) throw new DozoError("the server's writer id is no number", { status: 502 });
    return new IndexUpload(kind, wid as number, this);
  }

  async #send(method: string, path: string, parameters: CallParameters, body: Uint8Array): Promise<void> {
    await callJson(this.#http, method, callPath(path, parameters), { body, headers: DATA_HEADERS });
  }
}

class Known implements KnownChunks {
  readonly #sizes = new DigestMap();

  get count(): number {
    return this.#sizes.count;
  }

  get(digest: Uint8Array): number | undefined {
    return this.#sizes.get(digest);
  }

  add(digest: Uint8Array, size: number): void {
    this.#sizes.set(digest, size);
  }
}
