/** HTTP/1.1 request that turns a TLS connection into a session: `spec/backup-protocol.md` §2. */
import type { TLSSocket } from "node:tls";
import { concatBytes } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { parseResponse, type PlainResponse } from "./http1_response.ts";
import type { ServerAddress, SessionTarget } from "./server_address.ts";
import { connectTls, hostAndPort } from "./tls_connect.ts";

/** Time for connecting and for the server's answer, milliseconds (§2.3). */
const TIMEOUT = 120_000;

/** A connection on which the other protocol now runs. */
export interface Upgraded {
  readonly socket: TLSSocket;
  /** Bytes of the new protocol that came with the answer. */
  readonly head: Uint8Array;
}

/** Query of an upgrade request, names in alphabetical order; `ns` is left out for the root. */
export function sessionQuery(target: SessionTarget, more: Readonly<Record<string, string>> = {}): string {
  const query: Record<string, string> = {
    "backup-id": target.backupId,
    "backup-time": String(target.backupTime),
    "backup-type": target.backupType,
    debug: String(target.debug ?? false),
    store: target.store,
    ...(target.ns ? { ns: target.ns } : {}),
    ...more,
  };
  return new URLSearchParams(Object.entries(query).sort(([a], [b]) => (a < b ? -1 : 1))).toString();
}

/**
 * Asks the server for `protocol` at `path`. Rejects with {@link DozoError}: with the server's status and text when it
 * refuses, or telling why it cannot be reached.
 */
export async function openUpgrade(
  server: ServerAddress,
  path: string,
  protocol: string,
  signal?: AbortSignal,
): Promise<Upgraded> {
  const timeout = AbortSignal.timeout(TIMEOUT);
  const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
  const socket = await connectTls(server, either);
  try {
    socket.write(requestText(server, path, protocol));
    const answer = await readAnswer(socket, either);
    checkAnswer(answer, protocol);
    return { socket, head: answer.rest };
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function requestText(server: ServerAddress, path: string, protocol: string): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${hostAndPort(server)}`,
    "Connection: upgrade",
    `Upgrade: ${protocol}`,
    ...Object.entries(server.headers).map(([name, value]) => `${name}: ${value}`),
  ];
  if (lines.some((line) => /[\r\n\0]/.test(line))) {
    throw new DozoError("a line break in a header of the upgrade request: check the login data");
  }
  return lines.join("\r\n") + "\r\n\r\n";
}

function checkAnswer(answer: PlainResponse, protocol: string): void {
  if (answer.status !== 101) {
    const text = new TextDecoder().decode(answer.body).trim();
    throw new DozoError(text || `the server answers with status ${answer.status}`, { status: answer.status });
  }
  const chosen = answer.headers.get("upgrade");
  if (chosen !== undefined && chosen !== protocol) {
    throw new DozoError(`the server speaks '${chosen}' instead of '${protocol}'`);
  }
}

function readAnswer(socket: TLSSocket, signal: AbortSignal): Promise<PlainResponse> {
  return new Promise((resolve, reject) => {
    let received = new Uint8Array(0);
    const done = (settle: () => void) => {
      socket.pause();
      socket.removeListener("data", onData);
      socket.removeListener("end", onEnd);
      socket.removeListener("close", onEnd);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const check = (ended: boolean) => {
      try {
        const answer = parseResponse(received, ended);
        if (answer) done(() => resolve(answer));
      } catch (error) {
        done(() => reject(error));
      }
    };
    const onData = (chunk: Uint8Array) => {
      received = concatBytes(received, chunk);
      check(false);
    };
    const onEnd = () => check(true);
    const onAbort = () => done(() => reject(abortError(signal)));
    signal.addEventListener("abort", onAbort);
    socket.on("data", onData);
    socket.on("end", onEnd);
    socket.on("close", onEnd);
  });
}

function abortError(signal: AbortSignal): Error {
  const { reason } = signal;
  if (reason instanceof Error && reason.name !== "TimeoutError") return reason;
  return new DozoError(`the server did not answer within ${TIMEOUT / 1000} seconds`, { cause: reason });
}
