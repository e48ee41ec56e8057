/** A private installation like the recorded one: its configuration, datastores with its snapshots, its task logs. For tests. */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { AccessControl } from "../../access/access_control.ts";
import { authLog } from "../../access/auth_log.ts";
import { csrfToken } from "../../access/csrf.ts";
import { isRole } from "../../access/privileges.ts";
import { fullTicket } from "../../access/ticket.ts";
import { createDirectories, stateDirectories } from "../../config/directories.ts";
import { ServerConfig } from "../../config/server_config.ts";
import { loadSigningKeys } from "../../config/signing_keys.ts";
import { formatBackupTime } from "../../formats/backup_time.ts";
import { Manifest } from "../../formats/manifest.ts";
import { TaskStore } from "../../tasks/task_store.ts";
import { Datastores } from "../datastores.ts";
import { Api } from "../dispatch.ts";
import type { ApiRequest, ApiResponse } from "../exchange.ts";
import { METHODS } from "../table.ts";

const VECTORS = new URL("../../../test/vectors/", import.meta.url);

/** A recorded call. */
export interface RecordedCall {
  readonly tag: string;
  readonly auth: string | null;
  readonly method: string;
  readonly url: string;
  readonly req_headers?: Record<string, string>;
  readonly req_body?: string;
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly json?: { data?: unknown };
  readonly text?: string;
  readonly seconds?: number;
  readonly note?: string;
}

/** The calls of one file of `test/vectors`. */
export function recordedCalls(name: string): RecordedCall[] {
  return Deno.readTextFileSync(new URL(name, VECTORS)).trim().split("\n").map((line) => JSON.parse(line));
}

/** Secrets of the recorded tokens; they are in the recorded headers too. */
const TOKEN_SECRETS: Record<string, string> = {
  "root@pam!rtok": "9b0eafc0-8341-489f-b181-e0782c2c4fd6",
  "backup@pbs!tok1": "5136e16c-39c2-4cbc-9094-d9408c966f84",
};

interface RecordedSnapshot {
  readonly "backup-type": "vm" | "ct" | "host";
  readonly "backup-id": string;
  readonly "backup-time": number;
  readonly files: readonly { filename: string; "crypt-mode"?: "none" | "sign-only" | "encrypt"; size?: number }[];
  readonly owner?: string;
  readonly verification?: { upid: string; state: "ok" | "failed" };
}

async function writeSnapshot(base: string, ns: string, snapshot: RecordedSnapshot): Promise<void> {
  const type = snapshot["backup-type"], id = snapshot["backup-id"], time = snapshot["backup-time"];
  const group = join(base, ...ns.split("/").filter((one) => one !== "").flatMap((one) => ["ns", one]), type, id);
  const directory = join(group, formatBackupTime(time));
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeTextFile(join(group, "owner"), `${snapshot.owner ?? "root@pam"}\n`);
  const manifest = Manifest.create({ type, id, time });
  let finished = false;
  for (const { filename, size, "crypt-mode": mode } of snapshot.files) {
    if (filename === "index.json.blob") finished = true;
    else await Deno.writeFile(join(directory, filename), new Uint8Array(0));
    if (filename === "index.json.blob" || size === undefined || mode === undefined) continue;
    manifest.addFile({ filename, "crypt-mode": mode, size, csum: "00".repeat(32) });
  }
  manifest.verifyState = snapshot.verification;
  if (finished) await Deno.writeFile(join(directory, "index.json.blob"), await manifest.encode());
}

/** Makes an empty store without its 65536 chunk directories, which no listing needs, and fills it as the recordings list it. */
async function writeStore(base: string, name: string): Promise<void> {
  await Deno.mkdir(join(base, ".chunks"), { recursive: true });
  await Deno.writeTextFile(join(base, ".lock"), "");
  const seen = new Set<string>();
  const calls = recordedCalls("rest/samples.jsonl");
  const listings = calls.filter((one) => one.url.includes("/snapshots")).concat(
    calls.filter((one) => one.url.includes("/groups")),
  );
  for (const { method, url, json } of listings) {
    const match = /^\/api2\/json\/admin\/datastore\/([^/]+)\/(snapshots|groups)(?:\?ns=([^&]*))?$/.exec(url);
    if (method !== "GET" || match?.[1] !== name || !Array.isArray(json?.data)) continue;
    const ns = decodeURIComponent(match[3] ?? "");
    for (const row of json.data) {
      // A namespace of which only the groups were recorded gets their newest snapshot.
      const listed: RecordedSnapshot = match[2] === "snapshots"
        ? row
        : { ...row, "backup-time": row["last-backup"], files: row.files.map((filename: string) => ({ filename })) };
      const key = `${ns}/${listed["backup-type"]}/${listed["backup-id"]}/${listed["backup-time"]}`;
      if (!seen.has(key)) await writeSnapshot(base, ns, listed);
      seen.add(key);
    }
  }
}

/** A running API over a copy of the recorded installation. */
export class Fixture {
  /** Seconds that the server's clock shows. */
  now = 1795266830;
  readonly authLines: string[] = [];

  private constructor(
    readonly root: string,
    readonly api: Api,
    readonly ticketFor: (userid: string) => { ticket: string; csrf: string },
  ) {}

  static async make(): Promise<Fixture> {
    const root = await Deno.makeTempDir({ prefix: "dozo-replay-" });
    const directories = stateDirectories(root);
    await createDirectories(directories);
    const etc = new URL("config/etc/", VECTORS);
    for (
      const name of [
        "user.cfg",
        "acl.cfg",
        "shadow.json",
        "token.shadow",
        "tfa.json",
        "domains.cfg",
        "authkey.key",
        "authkey.pub",
        "csrf.key",
        "proxy.pem",
        "proxy.key",
      ]
    ) {
      await Deno.copyFile(new URL(name, etc), join(directories.etc, name));
    }
    await renewSecondFactors(join(directories.etc, "tfa.json"));
    const stores = (await Deno.readTextFile(new URL("datastore.cfg", etc)))
      .replaceAll(/^\tpath .*\/(\w+)$/gm, (_, name) => `\tpath ${join(root, "stores", name)}`);
    await Deno.writeTextFile(join(directories.etc, "datastore.cfg"), stores);
    for (
      const [name, directory] of [["store1", "store1"], ["store2", "store2"], ["store-3.x_y", "store3"], [
        "legacy",
        "legacy",
      ]]
    ) {
      await writeStore(join(root, "stores", directory), name);
    }
    await copyTree(new URL("tasks/logs/", VECTORS), join(directories.log, "tasks"));
    // The recorded list of running tasks names a process that is long gone.
    await Deno.copyFile(new URL("tasks/archive", VECTORS), join(directories.log, "tasks", "archive"));
    const config = new ServerConfig(directories, isRole);
    const keys = await loadSigningKeys(directories.etc);
    const clock = { read: () => 0, lines: [] as string[] };
    const access = new AccessControl(config, keys, authLog((line) => clock.lines.push(line)), () => clock.read());
    const tasks = new TaskStore(join(directories.log, "tasks"), "pbs1");
    const api = new Api(METHODS, { config, access, tasks, datastores: new Datastores(config), node: "pbs1" });
    const fixture: Fixture = new Fixture(root, api, (userid) => ({
      ticket: fullTicket(keys.privateKey, userid, fixture.now),
      csrf: csrfToken(keys.csrfKey, userid, fixture.now),
    }));
    clock.read = () => fixture.now;
    clock.lines = fixture.authLines;
    return fixture;
  }

  /** Sends a recorded call; placeholders for credentials are filled in. */
  async send(call: RecordedCall): Promise<ApiResponse> {
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(call.req_headers ?? {})) {
      headers[name.toLowerCase()] = this.#credential(value);
    }
    const body = async function* () {
      if (call.req_body) yield new TextEncoder().encode(call.req_body);
    };
    return await this.request({ verb: call.method, target: call.url, headers, body: body() });
  }

  /** Sends any request. */
  async request(request: Pick<ApiRequest, "verb" | "target" | "headers" | "body">): Promise<ApiResponse> {
    return await this.api.answer({
      ...request,
      peer: "[::1]:4000",
      httpVersion: "1.1",
      signal: new AbortController().signal,
    });
  }

  #credential(value: string): string {
    const match = /^<(Cookie|CSRFPreventionToken|Authorization) of (.+)>$/.exec(value);
    if (!match) return value;
    const [, kind, who] = match;
    if (kind === "Authorization") return `PBSAPIToken=${who}:${TOKEN_SECRETS[who]}`;
    const { ticket, csrf } = this.ticketFor(who);
    return kind === "Cookie" ? `PBSAuthCookie=${encodeURIComponent(ticket)}` : csrf;
  }

  async close(): Promise<void> {
    await this.api.services.tasks.close("test is over");
    await Deno.remove(this.root, { recursive: true });
  }
}

/** The recorded file is the one after the recorded logins: what these used up is put back. */
async function renewSecondFactors(path: string): Promise<void> {
  const file = JSON.parse(await Deno.readTextFile(path));
  const { recovery, totp } = file.users["alice@pbs"];
  ["1ea4-81a4-af2e-4b51", "950d-457c-80b7-6746"].forEach((key, index) => {
    recovery.entries[index] = createHmac("sha256", recovery.secret).update(key).digest("hex");
  });
  for (const one of totp) if (typeof one.entry === "object") delete one.entry["last-count"];
  await Deno.writeTextFile(path, JSON.stringify(file));
}

async function copyTree(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copyTree(new URL(`${encodeURIComponent(entry.name)}/`, from), join(to, entry.name));
    else await Deno.copyFile(new URL(encodeURIComponent(entry.name), from), join(to, entry.name));
  }
}
