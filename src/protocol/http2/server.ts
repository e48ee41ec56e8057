/** Server role of HTTP/2 with prior knowledge on an existing socket. */
import type { Duplex } from "node:stream";
import type { Http2Handler, Http2Options, ServerConnection } from "./types.ts";

/**
 * Speaks HTTP/2 as the server on `socket`, whose next bytes are the client's preface; `head` holds bytes that were
 * already read from it. Takes the socket over: it is closed when the connection ends. Settings follow
 * `spec/backup-protocol.md` §5.1. Nothing the peer does throws here or in the process; see `closed`.
 */
export function serveHttp2(
  socket: Duplex,
  head: Uint8Array,
  handler: Http2Handler,
  options: Http2Options = {},
): ServerConnection {
  void [socket, head, handler, options];
  throw new Error("not yet available");
}
