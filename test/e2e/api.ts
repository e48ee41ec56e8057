/** Calls of the REST API over TLS, as a browser or a script makes them. */
import assert from "node:assert/strict";
import { request } from "node:https";
import { PASSWORD, type Server, USER } from "./harness.ts";

/** Status and body of an answer; `data` is the JSON member of that name, if there is one. */
export interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
  readonly data: unknown;
}

/** Sends one request to `path` below `/api2/json`; does not check the server's certificate. */
export function send(
  server: Pick<Server, "port">,
  method: string,
  path: string,
  options: { headers?: Record<string, string>; body?: Record<string, unknown> } = {},
): Promise<Answer> {
  const body = options.body === undefined ? undefined : JSON.stringify(options.body);
  return new Promise((resolve, reject) => {
    const call = request({
      host: "127.0.0.1",
      port: server.port,
      method,
      path: `/api2/json${path}`,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
      rejectUnauthorized: false,
      agent: false,
    }, (answer) => {
      const parts: Uint8Array[] = [];
      answer.on("data", (part: Uint8Array) => parts.push(part));
      answer.on("error", reject);
      answer.on("end", () => {
        const text = new TextDecoder().decode(Buffer.concat(parts));
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text, data: dataOf(text) });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

function dataOf(text: string): unknown {
  try {
    return JSON.parse(text).data;
  } catch {
    return undefined;
  }
}

/** A logged-in user of one server. */
export class Api {
  private constructor(readonly server: Pick<Server, "port">, readonly headers: Record<string, string>) {}

  /** Logs in. */
  static async login(server: Pick<Server, "port">, user = USER, password = PASSWORD): Promise<Api> {
    const answer = await send(server, "POST", "/access/ticket", { body: { username: user, password } });
    assert.equal(answer.status, 200, answer.text);
    const { ticket, CSRFPreventionToken } = answer.data as Record<string, string>;
    return new Api(server, {
      cookie: `PBSAuthCookie=${encodeURIComponent(ticket)}`,
      csrfpreventiontoken: CSRFPreventionToken,
    });
  }

  /** Makes a call that must succeed; its `data`. */
  async call<T = unknown>(method: string, path: string, body?: Record<string, unknown>): Promise<T> {
    const answer = await send(this.server, method, path, { headers: this.headers, body });
    assert.equal(answer.status, 200, `${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.data as T;
  }

  /** Waits until the worker task has ended, and fails unless it ended well. */
  async finished(upid: string): Promise<void> {
    for (let tries = 0; tries < 600; tries++) {
      const path = `/nodes/localhost/tasks/${encodeURIComponent(upid)}/status`;
      const { status, exitstatus } = await this.call<{ status: string; exitstatus?: string }>("GET", path);
      if (status === "stopped") return assert.equal(exitstatus, "OK", `task ${upid}: ${exitstatus}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.fail(`task ${upid} does not end`);
  }

  /** Creates a datastore in `folder`. */
  async createDatastore(name: string, folder: string): Promise<void> {
    const upid = await this.call("POST", "/config/datastore", { name, path: folder });
    if (typeof upid === "string") await this.finished(upid);
  }
}
