/** A server that lies: serves one snapshot of hand-made files to a client that restores it. */
import type { Http2Request, Http2Response } from "../../src/protocol/http2/types.ts";
import { startTestServer } from "../../src/protocol/testing_server.ts";
import { encodeBlob } from "../../src/formats/blob.ts";
import { Manifest } from "../../src/formats/manifest.ts";
import { DynamicIndexWriter } from "../../src/formats/index_writer.ts";
import { sha256Sync } from "../../src/native/crypto.ts";
import { toHex } from "../../src/base/bytes.ts";
import { DOZO, execute, type Outcome } from "./harness.ts";

const TIME = 1_700_000_000;
/** The snapshot that the server has. */
export const SNAPSHOT = "host/victim/2023-11-14T22:13:20Z";

type Body = NonNullable<Http2Response["body"]>;

/** Files by name and chunks by digest (hex), which a test may spoil before they are served. */
export class Snapshot {
  readonly files = new Map<string, Body>();
  readonly chunks = new Map<string, Body>();
  readonly manifest = Manifest.create({ type: "host", id: "victim", time: TIME });

  /** Adds an archive of one chunk that holds `stream`. */
  async addArchive(name: string, stream: Uint8Array<ArrayBuffer>): Promise<void> {
    const digest = sha256Sync(stream);
    this.chunks.set(toHex(digest), await encodeBlob(stream));
    const index = new DynamicIndexWriter({ ctime: TIME });
    if (stream.length > 0) index.append(0, stream.length, digest);
    const { parts, csum, size } = await index.finish();
    this.files.set(name, parts);
    this.manifest.addFile({ filename: name, "crypt-mode": "none", size, csum: toHex(csum) });
  }

  /** Adds an index file as it is; the manifest agrees with what it says. */
  addIndex(name: string, parts: Uint8Array<ArrayBuffer>[], csum: Uint8Array, size: number): void {
    this.files.set(name, parts);
    this.manifest.addFile({ filename: name, "crypt-mode": "none", size, csum: toHex(csum) });
  }
}

/** Serves the snapshot and runs `dozo client restore SNAPSHOT …args` against it. */
export async function restoreFrom(snapshot: Snapshot, args: readonly string[], seconds = 30): Promise<Outcome> {
  if (!snapshot.files.has("index.json.blob")) {
    snapshot.files.set("index.json.blob", await snapshot.manifest.encode());
  }
  const answer = ({ path }: Http2Request): Http2Response => {
    const url = new URL(path, "https://localhost");
    const query = (name: string): string => url.searchParams.get(name) ?? "";
    const body = url.pathname.endsWith("/chunk")
      ? snapshot.chunks.get(query("digest"))
      : snapshot.files.get(query("file-name"));
    return body === undefined
      ? { status: 404, body: new TextEncoder().encode("no such file") }
      : { status: 200, headers: { "content-type": "application/octet-stream" }, body };
  };
  await using server = await startTestServer(answer);
  return await execute(DOZO, ["client", "restore", SNAPSHOT, ...args], {
    seconds,
    env: {
      HOME: "/proc/self",
      PBS_REPOSITORY: `root@pam!t@127.0.0.1:${server.address.port}:store`,
      PBS_PASSWORD: "secret",
      PBS_FINGERPRINT: server.fingerprint,
    },
  });
}
