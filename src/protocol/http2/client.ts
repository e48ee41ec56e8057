/** Client role of HTTP/2 with prior knowledge on an existing socket. */
import type { Duplex } from "node:stream";
import type { ClientConnection, Http2Options } from "./types.ts";

/**
 * Speaks HTTP/2 as the client on `socket` (sends the preface at once); `head` holds bytes that the peer sent after its
 * 101 answer and that were already read. Takes the socket over.
 */
export function connectHttp2(socket: Duplex, head: Uint8Array, options: Http2Options = {}): ClientConnection {
  void [socket, head, options];
  throw new Error("not yet available");
}
