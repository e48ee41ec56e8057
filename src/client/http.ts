/** REST requests over one TLS connection whose certificate was checked before anything was sent on it. */
import http from "node:http";
import type { TLSSocket } from "node:tls";
import { concatBytes } from "../base/bytes.ts";
import { Semaphore } from "../base/concurrency.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ServerAddress } from "../protocol/server_address.ts";
import { connectTls, hostAndPort } from "../protocol/tls_connect.ts";

/** A complete answer. Any status. */
export interface HttpAnswer {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Uint8Array;
}

/** What is sent besides method and target. */
export interface HttpRequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Largest accepted answer in bytes. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 64 * 1024 * 1024;
/** A server that says nothing for so long is given up, in milliseconds. */
const TIMEOUT = 120_000;

/** One server; requests follow each other on the same connection while it lives. */
export class HttpClient {
  readonly #address: ServerAddress;
  readonly #turn = new Semaphore(1);
  #connection?: { readonly socket: TLSSocket; readonly agent: http.Agent };

  /** Nothing is connected yet. The address's headers go with each request. */
  constructor(address: ServerAddress) {
    this.#address = address;
  }

  /**
   * Sends a request and collects the answer. Throws {@link DozoError} when the server cannot be reached, is not trusted
   * or answers more than the limit.
   */
  async request(method: string, target: string, options: HttpRequestOptions = {}): Promise<HttpAnswer> {
    return await this.#turn.run(async () => {
      const reused = this.#connection !== undefined;
      try {
        return await this.#exchange(method, target, options);
      } catch (error) {
        // A server may close an idle connection in the very moment in which it is used again.
        if (!reused || !(error instanceof ConnectionLost) || method !== "GET") throw error;
        return await this.#exchange(method, target, options);
      }
    });
  }

  /** Closes the connection. A later request opens a new one. */
  close(): void {
    this.#connection?.socket.destroy();
    this.#connection = undefined;
  }

  async #exchange(method: string, target: string, options: HttpRequestOptions): Promise<HttpAnswer> {
    const { agent } = this.#connection ??= await this.#connect();
    try {
      return await this.#send(agent, method, target, options);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async #connect() {
    const socket = await connectTls(this.#address, AbortSignal.timeout(TIMEOUT));
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    agent.createConnection = () => socket;
    // An agent takes idle sockets off the event loop, and one that is used again just then would stay off it: the
    // program could end before the answer is here.
    agent.keepSocketAlive = () => true;
    agent.reuseSocket = () => {};
    socket.once("close", () => {
      if (this.#connection?.socket === socket) this.#connection = undefined;
    });
    return { socket, agent };
  }

  #send(agent: http.Agent, method: string, target: string, options: HttpRequestOptions): Promise<HttpAnswer> {
    const { body, limit = DEFAULT_LIMIT } = options;
    const headers: Record<string, string> = {
      Host: hostAndPort(this.#address),
      ...this.#address.headers,
      ...options.headers,
      ...(body || method !== "GET" ? { "Content-Length": String(body?.length ?? 0) } : {}),
    };
    return new Promise((resolve, reject) => {
      const fail = (error: unknown) => reject(lost(method, target, error));
      const request = http.request({ agent, method, path: target, headers }, (response) => {
        collect(response, limit).then(
          (whole) => resolve({ status: response.statusCode ?? 0, headers: flat(response.headers), body: whole }),
          (error) => error instanceof DozoError ? reject(error) : fail(error),
        );
      });
      request.setTimeout(TIMEOUT, () => request.destroy(new Error(`no answer within ${TIMEOUT / 1000} seconds`)));
      request.once("error", fail);
      request.end(body);
    });
  }
}

/** The connection ended before the answer was complete. */
class ConnectionLost extends DozoError {
  override readonly name = "ConnectionLost";
}

function lost(method: string, target: string, cause: unknown): ConnectionLost {
  const path = target.split("?")[0];
  return new ConnectionLost(`the connection broke during ${method} ${path}: ${errorMessage(cause)}`, { cause });
}

async function collect(response: http.IncomingMessage, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of response as AsyncIterable<Uint8Array>) {
    length += part.length;
    if (length > limit) throw new DozoError(`the server's answer is longer than ${limit} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? parts[0] : concatBytes(...parts);
}

function flat(headers: http.IncomingHttpHeaders): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(", ") : value]),
  );
}
