/** For tests: a TLS server that upgrades every request to HTTP/2 with the given handler, or answers it with a refusal. */
import type { IncomingMessage } from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { loadCertificate } from "../config/certificate.ts";
import { serveHttp2 } from "./http2/server.ts";
import type { Http2Handler, ServerConnection } from "./http2/types.ts";
import type { ServerAddress } from "./server_address.ts";

/** A running server. */
export interface TestServer extends AsyncDisposable {
  readonly address: ServerAddress;
  readonly fingerprint: string;
  /** The upgrade requests so far. */
  readonly requests: IncomingMessage[];
  readonly connections: ServerConnection[];
}

/** Starts one. `refuse` may write an HTTP/1.1 answer instead of the upgrade and return true. */
export async function startTestServer(
  handler: Http2Handler,
  refuse: (request: IncomingMessage, socket: Duplex) => boolean = () => false,
): Promise<TestServer> {
  const folder = await Deno.makeTempDir();
  const certificate = await loadCertificate(folder);
  await Deno.remove(folder, { recursive: true });
  const server = https.createServer({ cert: certificate.chain, key: certificate.key });
  const requests: IncomingMessage[] = [];
  const connections: ServerConnection[] = [];
  const sockets = new Set<Duplex>();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    requests.push(request);
    sockets.add(socket);
    if (refuse(request, socket)) return;
    const upgrade = `Connection: upgrade\r\nUpgrade: ${request.headers.upgrade}`;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${upgrade}\r\n\r\n`);
    connections.push(serveHttp2(socket, head, handler));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { fingerprint } = certificate;
  return {
    address: {
      host: "127.0.0.1",
      port: (server.address() as AddressInfo).port,
      headers: { Authorization: "PBSAPIToken root@pam!t:secret" },
      checkCertificate: () => {},
    },
    fingerprint,
    requests,
    connections,
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.abort();
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
