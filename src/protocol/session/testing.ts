/** Runs a session over a TCP connection on the loopback interface, with a client at the other end. For tests. */
import { connect, createServer, type Socket } from "node:net";
import { once } from "node:events";
import { connectHttp2 } from "../http2/client.ts";
import type { ClientConnection } from "../http2/types.ts";
import type { UpgradedSession } from "./types.ts";

/** A session that is being served, seen from both ends. */
export interface TestSession {
  readonly client: ClientConnection;
  /** Lines of the task log so far. */
  readonly log: readonly string[];
  /** Settles as the task ends. */
  readonly task: Promise<void>;
  /** Drops the client's connection and waits until the server has cleaned up; the task's error is swallowed. */
  close(): Promise<void>;
}

/** Serves `session` to a client in this process. */
export async function serveOverTcp(session: UpgradedSession): Promise<TestSession> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const socket = connect(address.port, "127.0.0.1");
  await once(socket, "connect");
  const [peer] = await accepted;
  server.close();
  const log: string[] = [];
  const task = session.serve(peer, new Uint8Array(), { line: (text) => log.push(text) });
  task.catch(() => {});
  const client = connectHttp2(socket, new Uint8Array());
  return {
    client,
    log,
    task,
    close: async () => {
      client.abort();
      await client.closed;
      await task.catch(() => {});
    },
  };
}
