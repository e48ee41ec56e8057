/** REST requests over one TLS connection whose certificate was checked before anything was sent on it. */
import type { TLSSocket } from "node:tls";
import { Semaphore } from "../base/concurrency.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ServerAddress } from "../protocol/server_address.ts";
import { connectTls, hostAndPort } from "../protocol/tls_connect.ts";
import { type Http1Answer, Http1Reader, NoAnswer } from "./http1_reader.ts";

/** A complete answer. Any status. */
export type HttpAnswer = Pick<Http1Answer, "status" | "headers" | "body">;

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
/** Servers close connections that were idle for a few seconds; one that was idle longer than this is not used again. */
const IDLE_LIMIT = 2_000;

interface Connection {
  readonly socket: TLSSocket;
  readonly reader: Http1Reader;
  usedAt: number;
}

const CLOSED = new Set(["EPIPE", "ECONNRESET"]);

/** One server; requests follow each other on the same connection while it lives. */
export class HttpClient {
  readonly #address: ServerAddress;
  readonly #turn = new Semaphore(1);
  #connection?: Connection;

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
      const kept = method === "POST" ? undefined : this.#takeIdle();
      if (kept) {
        try {
          return await this.#exchange(kept, method, target, options);
        } catch (error) {
          // A server may close an idle connection in the very moment in which it is used again. What may be done twice
          // is then sent once more.
          if (!(error instanceof DozoError && error.cause instanceof NoAnswer)) throw error;
        }
      }
      return await this.#exchange(await this.#connect(), method, target, options);
    });
  }

  /** Closes the connection. A later request opens a new one. */
  close(): void {
    this.#connection?.socket.destroy();
    this.#connection = undefined;
  }

  async #exchange(
    connection: Connection,
    method: string,
    target: string,
    options: HttpRequestOptions,
  ): Promise<HttpAnswer> {
    const { socket, reader } = connection;
    const timer = setTimeout(() => socket.destroy(), TIMEOUT);
    try {
      socket.write(this.#head(method, target, options));
      if (options.body?.length) socket.write(options.body);
      const answer = await reader.answer(options.limit ?? DEFAULT_LIMIT);
      if (answer.reusable) {
        this.close();
        connection.usedAt = performance.now();
        this.#connection = connection;
      } else socket.destroy();
      return answer;
    } catch (error) {
      socket.destroy();
      const path = target.split("?")[0];
      throw new DozoError(`${method} ${path} at '${this.#address.host}' failed: ${errorMessage(error)}`, {
        cause: error,
      });
    } finally {
      clearTimeout(timer);
    }
  }

  #takeIdle(): Connection | undefined {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return undefined;
    if (performance.now() - connection.usedAt < IDLE_LIMIT && !connection.socket.readableEnded) return connection;
    connection.socket.destroy();
    return undefined;
  }

  async #connect(): Promise<Connection> {
    const socket = await connectTls(this.#address, AbortSignal.timeout(TIMEOUT));
    const pieces = socket[Symbol.asyncIterator]();
    const pull = async () => {
      try {
        const { value, done } = await pieces.next();
        return done ? null : value as Uint8Array;
      } catch (error) {
        // Writing to a connection that the server has closed fails before the end of what it sent is read.
        if (error instanceof Error && CLOSED.has((error as NodeJS.ErrnoException).code ?? "")) return null;
        throw error;
      }
    };
    return { socket, reader: new Http1Reader(pull), usedAt: 0 };
  }

  #head(method: string, target: string, { headers, body }: HttpRequestOptions): string {
    const fields = {
      Host: hostAndPort(this.#address),
      Connection: "keep-alive",
      ...this.#address.headers,
      ...headers,
      ...(body || method !== "GET" ? { "Content-Length": String(body?.length ?? 0) } : {}),
    };
    const lines = [
      `${method} ${target} HTTP/1.1`,
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ];
    if (lines.some((line) => /[\r\n\0]/.test(line))) {
      throw new DozoError("a line break in a request: check the login data");
    }
    return `${lines.join("\r\n")}\r\n\r\n`;
  }
}
