/** Replays the recorded sessions of a real PBS against the session code, through HTTP/2 over TCP. */
import assert from "node:assert/strict";
import { toHex } from "../../base/bytes.ts";
import { DozoError } from "../../base/errors.ts";
import { makeTestStore, type TestStore } from "../../datastore/testing.ts";
import { encodeBlob } from "../../formats/blob.ts";
import { Manifest } from "../../formats/manifest.ts";
import { sha256Sync } from "../../native/crypto.ts";
import { BACKUP_PROTOCOL, openBackupSession } from "../backup_server/open.ts";
import type { ClientConnection } from "../http2/types.ts";
import { openReaderSession } from "../reader_server/open.ts";
import { serveOverTcp, type TestSession } from "./testing.ts";
import type { SessionHost, UpgradeRequest } from "./types.ts";
import { WIRE_DEVIATIONS } from "./wire_deviations.ts";

interface Line {
  session: string;
  step?: number;
  method: string;
  path: string;
  auth: string;
  req_headers?: Record<string, string>;
  "content-type"?: string;
  req_json?: Record<string, unknown>;
  req_body?: string;
  req_hex?: string;
  req_len?: number;
  req_sha256?: string;
  status: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
  body_hex?: string;
  body_len?: number;
  disk?: string;
  when: string;
  files: [string, number | null][];
  stored_manifest?: string;
  rest_call?: string;
  note?: string;
}

async function linesOf(name: string): Promise<Line[]> {
  const text = await Deno.readTextFile(new URL(`../../../test/vectors/wire/${name}`, import.meta.url));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/** Plain containers, with their CRC and without, of contents that the recordings give only as a hash. */
async function knownBodies(): Promise<Map<string, Uint8Array<ArrayBuffer>>> {
  const bodies = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const content of ["t".repeat(1000), "d".repeat(1000), "second ".repeat(5000)]) {
    const blob = await encodeBlob(new TextEncoder().encode(content), { compress: false });
    bodies.set(toHex(sha256Sync(blob)), blob);
    const unsealed = blob.slice();
    unsealed.fill(0, 8, 12);
    bodies.set(toHex(sha256Sync(unsealed)), unsealed);
  }
  return bodies;
}

const BODIES = await knownBodies();

/** The body of a recorded request; where only its hash is known, one that has the same effect. */
async function bodyOf(line: Line): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (line.req_json) {
    const filled = Object.entries(line.req_json).map(([name, value]) => {
      const many = /^<(\d+) times (64 zeros|0)>$/.exec(String(value));
      return [name, many ? Array(Number(many[1])).fill(many[2] === "0" ? 0 : "0".repeat(64)) : value];
    });
    return new TextEncoder().encode(JSON.stringify(Object.fromEntries(filled)));
  }
  if (line.req_body !== undefined) return new TextEncoder().encode(line.req_body);
  if (line.req_hex !== undefined) return Uint8Array.fromHex(line.req_hex);
  if (line.req_len === undefined) return undefined;
  return BODIES.get(line.req_sha256 ?? "") ?? await standIn(line);
}

async function standIn(line: Line): Promise<Uint8Array<ArrayBuffer>> {
  const body = new Uint8Array(line.req_len ?? 0);
  if (line.note?.startsWith("encrypted chunk")) body.set([123, 103, 133, 190, 34, 45, 76, 240]);
  if (!line.path.startsWith("/speedtest") && !line.note?.startsWith("encrypted")) {
    // Content unknown: the digest is changed to that of the body, which is all that the step needs.
    const data = new TextEncoder().encode(`stand-in ${line.path}`.padEnd(body.length - 12, "."));
    body.set(await encodeBlob(data, { compress: false }));
    line.path = line.path.replace(/digest=[0-9a-f]{64}/, `digest=${toHex(sha256Sync(data))}`);
    line.json &&= { data: toHex(sha256Sync(data)) };
  }
  return body;
}

class Replay {
  readonly #test: TestStore;
  #main: TestSession | undefined;

  constructor(test: TestStore) {
    this.#test = test;
  }

  #host(caller: string): SessionHost {
    return {
      caller,
      unauthorizedDelay: 10,
      hasPrivilege: () => !caller.includes("!"),
      openStore: (name, access) => {
        if (name === "store-3.x_y" && access === "write") {
          throw new DozoError(`datastore '${name}' is unavailable: read-only maintenance mode: moving, to new disk`);
        }
        if (name !== "legacy" && name !== "store-3.x_y") throw new DozoError(`no such datastore '${name}'`);
        return Promise.resolve({ store: this.#test.store, release: () => {} });
      },
    };
  }

  async run(line: Line): Promise<void> {
    if (line.disk !== undefined) return await this.#checkDisk(line);
    if (line.stored_manifest !== undefined) return await this.#checkManifest(line.stored_manifest);
    if (line.rest_call !== undefined) return await this.#restCall(line);
    if (line.step === 0) return await this.#open(line);
    if (line.step !== undefined) return await this.#request(line);
  }

  async #open(line: Line): Promise<void> {
    // Authentication and HTTP routing are the server's.
    if (line.status === 401 || line.method !== "GET") return;
    const [path, query] = line.path.split("?");
    const reader = path.endsWith("/reader") || line.session.startsWith("reader of");
    const isSide = /^open-|while|second-reader/.test(line.session);
    if (line.status === 101 && !isSide) await this.close();
    if (line.session.startsWith("leftover directory")) await this.#makeLeftover("host/w4/2023-11-14T22:13:20Z");
    if (line.session === "snapshot without manifest") await this.#makeLeftover("host/w1/2023-11-15T00:00:00Z");
    const upgrade = line.req_headers ? line.req_headers["Upgrade"] : reader ? READER : BACKUP_PROTOCOL;
    const request: UpgradeRequest = { query, upgrade, httpVersion: "1.1", peer: "::ffff:127.0.0.1" };
    const expected = deviation(line)?.status ?? line.status;
    let status = 101;
    let session: TestSession | undefined;
    try {
      const open = reader ? openReaderSession : openBackupSession;
      session = await serveOverTcp(await open(request, this.#host(line.auth)));
    } catch (error) {
      if (!(error instanceof DozoError)) throw error;
      status = error.status;
    }
    assert.equal(status, expected, `${line.session}: ${line.path}`);
    if (session && !isSide && line.status === 101) this.#main = session;
    else await session?.close();
  }

  async #makeLeftover(path: string): Promise<void> {
    await Deno.mkdir(`${this.#test.path}/${path}`, { recursive: true });
    const owner = `${this.#test.path}/${path.slice(0, path.lastIndexOf("/"))}/owner`;
    await Deno.writeTextFile(owner, "backup@pbs\n");
  }

  async #request(line: Line): Promise<void> {
    const at = `${line.session} step ${line.step}: ${line.method} ${line.path} (${line.note})`;
    if (line.note === "registered, chunk file missing") await this.#removeChunk(line);
    const connection = this.#main?.client as ClientConnection;
    const body = await bodyOf(line);
    const answer = await connection.request({
      method: line.method,
      path: line.path,
      body,
      headers: line["content-type"] ? { "content-type": line["content-type"] } : {},
    });
    const text = new TextDecoder().decode(answer.body);
    const expected = deviation(line)?.status;
    assert.equal(answer.status, expected ?? line.status, `${at}: ${text}`);
    if (expected !== undefined) return;
    if (line.json !== undefined) {
      assert.deepEqual(JSON.parse(text), line.json, at);
      assert.equal(answer.headers.get("content-type"), "application/json;charset=UTF-8");
    } else if (line.status === 200) {
      assert.equal(answer.headers.get("content-type"), "application/octet-stream");
      if (!line.path.includes("index.json.blob")) assert.equal(answer.body.length, line.body_len, at);
      if (line.path.startsWith("/chunk")) assert.equal(toHex(answer.body), line.body_hex, at);
    }
  }

  async #removeChunk(line: Line): Promise<void> {
    const hex = /digest=([0-9a-f]{64})/.exec(line.path)?.[1] ?? "";
    await Deno.remove(`${this.#test.path}/.chunks/${hex.slice(0, 4)}/${hex}`);
  }

  async #checkDisk(line: Line): Promise<void> {
    if (/connection closed|was dropped|^closed$/.test(line.when)) await this.close();
    const without = deviation(line)?.withoutFiles ?? [];
    const expected = line.files.filter(([path]) => !without.includes(path.slice(path.lastIndexOf("/") + 1)));
    const found = await walk(this.#test.path, line.disk ?? "");
    const plain = (files: [string, number | null][]) =>
      // The size of a manifest depends on the version of zstd.
      files.map(([path, size]) => `${path} ${path.endsWith("index.json.blob") ? "" : size}`).sort();
    assert.deepEqual(plain(found), plain(expected), `${line.session}: disk ${line.when}`);
  }

  async #checkManifest(expected: string): Promise<void> {
    const blob = await Deno.readFile(`${this.#test.path}/host/w1/2023-11-14T22:13:20Z/index.json.blob`);
    assert.equal((await Manifest.decode(blob)).toText(), expected);
  }

  async #restCall(line: Line): Promise<void> {
    const snapshot = { ns: "", type: "host", id: "w1", time: 1700000000 } as const;
    const run = async () => {
      if (line.rest_call?.startsWith("DELETE snapshot")) return await this.#test.store.snapshots.forget(snapshot);
      // As long as the log in the recording.
      await this.#test.store.snapshots.uploadLog(snapshot, await encodeBlob(new TextEncoder().encode("log")));
    };
    if (line.status === 200) await run();
    else await assert.rejects(run(), (error: unknown) => (error as DozoError).status === line.status);
  }

  async close(): Promise<void> {
    await this.#main?.close();
    this.#main = undefined;
  }
}

const READER = "proxmox-backup-reader-protocol-v1";

function deviation(line: Line) {
  return WIRE_DEVIATIONS.find(({ session, at }) => session === line.session && at === (line.step ?? line.when));
}

async function walk(base: string, path: string): Promise<[string, number | null][]> {
  const files: [string, number | null][] = [];
  try {
    for await (const { name, isDirectory } of Deno.readDir(`${base}/${path}`)) {
      const child = `${path}/${name}`;
      if (!isDirectory) files.push([child, (await Deno.stat(`${base}/${child}`)).size]);
      else {
        const below = await walk(base, child);
        files.push(...(below.length > 0 ? below : [[`${child}/`, null] as [string, null]]));
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return files.length === 0 && !path.includes("/") && await Deno.stat(`${base}/${path}`).catch(() => null)
    ? [[`${path}/`, null]]
    : files;
}

Deno.test("BP-02 BP-03 BP-04 BP-05 BP-06 BP-07 BP-08 BP-09 BP-10 BP-11 BP-12 BP-15 BP-21 BP-22 BP-23 sessions answer as recorded from PBS", async () => {
  const test = await makeTestStore();
  const replay = new Replay(test);
  try {
    for (const file of ["backup.jsonl", "reader.jsonl"]) {
      for (const line of await linesOf(file)) await replay.run(line);
      await replay.close();
    }
  } finally {
    await replay.close();
    await test.cleanUp();
  }
});
