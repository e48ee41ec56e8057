/** TLS or not: the first byte of a connection decides (`spec/rest-conventions.md` §1). */
import type { Socket } from "node:net";

const MAX_PLAIN_HEADER = 8192;
const TLS_HANDSHAKE = 0x16;
/** Pauses between looks at a connection that has sent nothing, milliseconds. */
const LOOK = { first: 1, longest: 100 } as const;

/** The first byte that the runtime has read ahead, without taking it; undefined where the runtime does not tell. */
function firstByte(socket: Socket): number | undefined {
  const { _readableState: state } = socket as unknown as { _readableState?: { buffer?: ArrayLike<Uint8Array> } };
  return state?.buffer?.[0]?.[0];
}

/**
 * Hands `socket` to `tls` when its first byte begins a TLS handshake; a plain HTTP request is redirected to https. The
 * first byte has `limit` milliseconds to come. It is only looked at, and no event of the socket is used before the
 * hand-over: a socket that script code has read from is served several times slower by the runtime.
 */
export function sniff(socket: Socket, limit: number, tls: (socket: Socket) => void): void {
  const deadline = performance.now() + limit;
  let pause: number = LOOK.first;
  const look = () => {
    if (socket.destroyed) return;
    if (socket.readableLength > 0) {
      const first = firstByte(socket);
      if (first === undefined || first === TLS_HANDSHAKE) tls(socket);
      else redirect(socket, deadline - performance.now());
    } else if (performance.now() > deadline || socket.readableEnded) {
      socket.destroy();
    } else {
      setTimeout(look, pause);
      pause = Math.min(pause * 2, LOOK.longest);
    }
  };
  look();
}

/** Answers a plain HTTP request with a redirect to https on the host that the client named. */
function redirect(socket: Socket, limit: number): void {
  let header = "";
  const timer = setTimeout(() => socket.destroy(), Math.max(0, limit));
  socket.once("close", () => clearTimeout(timer));
  const read = (chunk: Uint8Array) => {
    header += new TextDecoder("latin1").decode(chunk);
    const end = header.indexOf("\r\n\r\n");
    if (end < 0 && header.length < MAX_PLAIN_HEADER) return;
    socket.off("data", read);
    socket.end(answerTo(header.slice(0, end + 2)));
    setTimeout(() => socket.destroy(), 200);
  };
  socket.on("data", read);
}

function answerTo(header: string): string {
  const verb = /^([A-Z]{1,16}) \S+ HTTP\/1\.[01]\r\n/.exec(header)?.[1];
  const host = /^host:[ \t]*([A-Za-z0-9.\-:\[\]%_]{1,255})[ \t]*\r$/mi.exec(header)?.[1];
  const end = "Content-Length: 0\r\nConnection: close\r\n\r\n";
  if (verb === undefined || host === undefined) return `HTTP/1.1 400 Bad Request\r\n${end}`;
  const status = verb === "GET" || verb === "HEAD" ? "301 Moved Permanently" : "308 Permanent Redirect";
  return `HTTP/1.1 ${status}\r\nLocation: https://${host}\r\n${end}`;
}
