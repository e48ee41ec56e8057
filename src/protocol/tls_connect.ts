/** TLS to a server whose certificate the caller judges. */
import { isIP, type Socket } from "node:net";
import tls from "node:tls";
import { DozoError, errorMessage } from "../base/errors.ts";
import { openTunnel } from "./proxy_tunnel.ts";
import type { ServerAddress, ServerCertificate } from "./server_address.ts";

/** Port of the API. */
export const DEFAULT_PORT = 8007;
/** As the servers do: notices a peer that vanished, milliseconds. */
const KEEP_ALIVE = 120_000;

/**
 * Connects, shakes hands and asks `server.checkCertificate`. Nothing was sent over the connection before it agreed.
 * Rejects with {@link DozoError} when the server cannot be reached or is refused.
 */
export async function connectTls(server: ServerAddress, signal?: AbortSignal): Promise<tls.TLSSocket> {
  signal?.throwIfAborted();
  const tunnel = server.proxy && await openTunnel(server.proxy, hostAndPort(server), signal);
  const socket = await handshake(server.host, server.port ?? DEFAULT_PORT, tunnel, signal);
  try {
    await judge(server, certificateOf(socket, server.host));
    signal?.throwIfAborted();
  } catch (error) {
    socket.destroy();
    throw error;
  }
  return socket;
}

/** Host and port for a message or a `Host` header. */
export function hostAndPort(server: ServerAddress): string {
  const host = isIP(server.host) === 6 ? `[${server.host}]` : server.host;
  return `${host}:${server.port ?? DEFAULT_PORT}`;
}

function handshake(
  host: string,
  port: number,
  tunnel: Socket | undefined,
  signal?: AbortSignal,
): Promise<tls.TLSSocket> {
  return new Promise((resolve, reject) => {
    const name = isIP(host) ? {} : { servername: host };
    // The certificate is judged below, with the fingerprint that a person may have accepted.
    const way = tunnel ? { socket: tunnel } : { host, port };
    const socket = tls.connect({ ...way, rejectUnauthorized: false, ...name });
    const stop = () => fail(signal?.reason);
    const closed = () => fail(new Error("the connection was closed before it was secure"));
    const fail = (cause: unknown) => {
      signal?.removeEventListener("abort", stop);
      socket.removeListener("close", closed);
      socket.destroy();
      reject(new DozoError(`cannot connect to '${host}' port ${port}: ${errorMessage(cause)}`, { cause }));
    };
    signal?.addEventListener("abort", stop);
    socket.once("error", fail);
    socket.once("close", closed);
    socket.once("secureConnect", () => {
      signal?.removeEventListener("abort", stop);
      socket.removeListener("error", fail);
      socket.removeListener("close", closed);
      // From here on errors show as the end of the connection; without a listener they would end the process.
      socket.on("error", () => {});
      socket.setKeepAlive(true, KEEP_ALIVE);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

function certificateOf(socket: tls.TLSSocket, host: string): ServerCertificate {
  const certificate = socket.getPeerCertificate();
  const fingerprint = (certificate.fingerprint256 ?? "").toLowerCase();
  if (!socket.authorized) return { fingerprint, trusted: false, reason: String(socket.authorizationError) };
  const wrongName = tls.checkServerIdentity(host, certificate);
  return wrongName ? { fingerprint, trusted: false, reason: wrongName.message } : { fingerprint, trusted: true };
}

async function judge(server: ServerAddress, certificate: ServerCertificate): Promise<void> {
  if (server.checkCertificate) return await server.checkCertificate(certificate);
  if (certificate.trusted) return;
  throw new DozoError(
    `the certificate of '${server.host}' is not trusted (${certificate.reason}), its fingerprint is ${certificate.fingerprint}`,
  );
}
