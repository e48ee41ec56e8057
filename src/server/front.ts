/** The TLS port: connections, requests, upgrades, and their limits (`spec/rest-conventions.md` §1). */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Api } from "../api/dispatch.ts";
import type { ApiResponse } from "../api/exchange.ts";
import { errorMessage } from "../base/errors.ts";
import type { Certificate } from "../config/certificate.ts";
import { apiRequest, peerOf, sendOnSocket, sendResponse, switchingProtocols } from "./http_exchange.ts";
import { accessLine, type LogFile } from "./log_file.ts";
import type { ListenAddress } from "./options.ts";
import { sniff } from "./sniff.ts";
import { staticAnswer } from "./static_files.ts";

const MAX_HEADER = 16 << 10;
const TCP_KEEPALIVE_MS = 120_000;

/** Bounds of what a connection may take. Times in milliseconds. */
export interface FrontLimits {
  /** For the first bytes and the TLS handshake, each. */
  readonly handshake: number;
  /** For the complete header of the first request. */
  readonly header: number;
  /** Until the complete header of a further request. */
  readonly idle: number;
  readonly connections: number;
}

const LIMITS: FrontLimits = { handshake: 10_000, header: 30_000, idle: 120_000, connections: 4096 };

/** One listening server. */
export class Front {
  readonly #api: Api;
  readonly #limits: FrontLimits;
  readonly #log: LogFile;
  readonly #tls: TlsServer;
  readonly #sockets = new Set<Socket>();
  /** TLS sockets that wait for a request, with the timer that ends the wait. */
  readonly #waiting = new Map<Duplex, ReturnType<typeof setTimeout>>();
  readonly #sessions = new Set<Promise<void>>();
  #requests = 0;
  #closing = false;

  constructor(api: Api, certificate: Certificate, log: LogFile, limits: Partial<FrontLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#api = api;
    this.#log = log;
    this.#tls = createTlsServer({
      key: certificate.key,
      cert: certificate.chain,
      ALPNProtocols: ["http/1.1"],
      minVersion: "TLSv1.2",
      maxHeaderSize: MAX_HEADER,
      handshakeTimeout: this.#limits.handshake,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: TCP_KEEPALIVE_MS,
    });
    // The server's own way of starting TLS stays the only one: it is the fast one.
    const startTls = this.#tls.listeners("connection") as ((socket: Socket) => void)[];
    this.#tls.removeAllListeners("connection");
    this.#tls.on(
      "connection",
      (socket: Duplex) =>
        this.#onConnection(socket as Socket, (raw) => startTls.forEach((start) => start.call(this.#tls, raw))),
    );
    this.#tls.keepAliveTimeout = this.#limits.idle;
    this.#tls.on("request", (request, response) => void this.#onRequest(request, response));
    this.#tls.on("upgrade", (request, socket, head) => void this.#onUpgrade(request, socket, head));
    this.#tls.on("secureConnection", (socket) => this.#awaitRequest(socket, true));
    this.#tls.on("tlsClientError", (_error, socket) => socket.destroy());
    this.#tls.on("clientError", (_error, socket) => socket.destroy());
    this.#tls.on("error", (error) => console.error(`listening socket: ${errorMessage(error)}`));
  }

  /** Listens; several processes may do so on one port. Resolves with the port. Rejects when the address is not available. */
  listen(address: ListenAddress): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#tls.once("error", reject);
      const options = { port: address.port, host: address.host, reusePort: true, backlog: 1024 };
      this.#tls.listen(options, () => {
        this.#tls.off("error", reject);
        const bound = this.#tls.address();
        resolve(typeof bound === "object" && bound !== null ? bound.port : address.port);
      });
    });
  }

  /** Open connections. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** Requests and sessions that are being served. */
  get busy(): number {
    return this.#requests + this.#sessions.size;
  }

  /** Takes no more connections, ends idle ones, and resolves when everything that runs is done. */
  async drain(): Promise<void> {
    this.#closing = true;
    this.#tls.close();
    for (const [socket, timer] of this.#waiting) {
      clearTimeout(timer);
      socket.destroy();
    }
    while (this.busy > 0) {
      await Promise.race([Promise.allSettled(this.#sessions), new Promise((resolve) => setTimeout(resolve, 50))]);
      if (this.#requests > 0 || this.#sessions.size > 0) await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Cuts every connection. */
  destroy(): void {
    this.#closing = true;
    this.#tls.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(socket: Socket, startTls: (socket: Socket) => void): void {
    if (this.#sockets.size >= this.#limits.connections || this.#closing) {
      socket.destroy();
      return;
    }
    this.#track(socket);
    socket.on("error", () => socket.destroy());
    sniff(socket, this.#limits.handshake, (raw) => {
      const timer = setTimeout(() => raw.destroy(), this.#limits.handshake);
      raw.once("close", () => clearTimeout(timer));
      this.#handshakes.set(raw, timer);
      startTls(raw);
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
  }

  readonly #handshakes = new WeakMap<object, ReturnType<typeof setTimeout>>();

  /** Ends a connection that does not send a complete request header in time; `first`: nothing was requested on it yet. */
  #awaitRequest(socket: Duplex & { _parent?: object }, first: boolean): void {
    if (socket._parent) clearTimeout(this.#handshakes.get(socket._parent));
    if (this.#closing && !first) {
      socket.destroy();
      return;
    }
    if (first) {
      socket.on("error", () => socket.destroy());
      socket.once("close", () => this.#gotRequest(socket));
    }
    this.#gotRequest(socket);
    this.#waiting.set(socket, setTimeout(() => socket.destroy(), first ? this.#limits.header : this.#limits.idle));
  }

  #gotRequest(socket: Duplex): void {
    clearTimeout(this.#waiting.get(socket));
    this.#waiting.delete(socket);
  }

  async #onRequest(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    this.#gotRequest(socket);
    this.#requests++;
    const peer = peerOf(socket);
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    response.on("error", () => response.destroy());
    try {
      const answer = await this.#answer(request, peer, gone.signal);
      if (answer.upgrade) {
        await answer.upgrade.abandon(new Error("no upgrade requested"));
        return void await this.#send(request, response, peer, {
          status: 400,
          headers: {},
          body: "missing Upgrade header",
        });
      }
      await this.#send(request, response, peer, answer);
    } catch (error) {
      console.error(`${request.method} ${pathOf(request)} from ${peer}: ${errorMessage(error)}`);
      response.destroy();
    } finally {
      this.#requests--;
      // What is left of the body would be taken for the next request.
      if (!request.complete) response.destroyed ? socket.destroy() : response.once("close", () => socket.destroy());
      else if (!socket.destroyed) this.#awaitRequest(socket, false);
    }
  }

  async #send(request: IncomingMessage, response: ServerResponse, peer: string, answer: ApiResponse): Promise<void> {
    if (this.#closing || !request.complete) response.setHeader("connection", "close");
    let bytes = 0;
    try {
      bytes = await sendResponse(response, answer);
    } finally {
      this.#record(request, peer, answer, bytes);
    }
  }

  /** The answer to a request, after the delay that it asks for. */
  async #answer(request: IncomingMessage, peer: string, signal: AbortSignal): Promise<ApiResponse> {
    const started = performance.now();
    const target = request.url ?? "/";
    const answer = Api.owns(target)
      ? await this.#api.answer(apiRequest(request, peer, signal))
      : staticAnswer(request.method, target);
    const left = (answer.delay ?? 0) - (performance.now() - started);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
    return answer;
  }

  async #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): Promise<void> {
    this.#gotRequest(socket);
    socket.on("error", () => socket.destroy());
    this.#requests++;
    const peer = peerOf(request.socket);
    const gone = new AbortController();
    const onClose = () => gone.abort();
    socket.once("close", onClose);
    let session: Promise<void> | undefined;
    try {
      const answer = await this.#answer(request, peer, gone.signal);
      if (!answer.upgrade) {
        this.#record(request, peer, answer, sendOnSocket(socket, answer));
        return;
      }
      if (socket.destroyed || this.#closing) {
        await answer.upgrade.abandon(new Error("the client went away"));
        socket.destroy();
        return;
      }
      socket.off("close", onClose);
      socket.write(switchingProtocols(answer.upgrade.protocol));
      this.#record(request, peer, answer, 0);
      session = answer.upgrade.accept(socket, head).catch((error) =>
        console.error(`session of ${peer}: ${errorMessage(error)}`)
      );
      this.#sessions.add(session);
    } catch (error) {
      console.error(`${request.method} ${pathOf(request)} from ${peer}: ${errorMessage(error)}`);
      socket.destroy();
    } finally {
      this.#requests--;
    }
    await session;
    if (session) this.#sessions.delete(session);
  }

  #record(request: IncomingMessage, peer: string, answer: ApiResponse, bytes: number): void {
    const path = pathOf(request);
    const { status, authid, error } = answer;
    const agent = request.headers["user-agent"];
    this.#log.write(accessLine({ peer, authid, verb: request.method ?? "-", path, status, bytes, agent }));
    if (error !== undefined && status >= 400) {
      console.error(`${request.method} ${path}: ${status}: [client ${peer}] ${error}`);
    }
  }
}

/** The path without its query, which may hold secrets and belongs in no log. */
function pathOf(request: IncomingMessage): string {
  return (request.url ?? "/").split("?", 1)[0];
}
