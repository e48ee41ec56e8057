/** TLS or not: the first bytes of a connection decide (`spec/rest-conventions.md` §1). */
import type { Socket } from "node:net";

const MAX_PLAIN_HEADER = 8192;

/**
 * Hands `socket` to `tls` when its first byte begins a TLS handshake; a plain HTTP request is redirected to https. The
 * first bytes have `limit` milliseconds to come.
 */
export function sniff(socket: Socket, limit: number, tls: (socket: Socket) => void): void {
  const timer = setTimeout(() => socket.destroy(), limit);
  const fail = () => {
    clearTimeout(timer);
    socket.destroy();
  };
  socket.once("error", fail);
  socket.once("close", () => clearTimeout(timer));
  socket.once("readable", () => {
    const first: Uint8Array | null = socket.read();
    if (first === null || first.length === 0) return fail();
    if (first[0] === 0x16) {
      clearTimeout(timer);
      socket.off("error", fail);
      socket.unshift(first);
      tls(socket);
    } else redirect(socket, first, fail);
  });
}

/** Answers a plain HTTP request with a redirect to https on the host that the client named. */
function redirect(socket: Socket, first: Uint8Array, fail: () => void): void {
  let header = new TextDecoder("latin1").decode(first);
  const answer = () => {
    const end = header.indexOf("\r\n\r\n");
    if (end < 0 && header.length < MAX_PLAIN_HEADER) return;
    socket.off("data", more);
    const verb = /^([A-Z]{1,16}) \S+ HTTP\/1\.[01]\r\n/.exec(header)?.[1];
    const host = /^host:[ \t]*([A-Za-z0-9.\-:\[\]%_]{1,255})[ \t]*\r$/mi.exec(header.slice(0, end + 2))?.[1];
    const status = verb === undefined || host === undefined
      ? "400 Bad Request"
      : verb === "GET" || verb === "HEAD"
      ? "301 Moved Permanently"
      : "308 Permanent Redirect";
    const location = status.startsWith("3") ? `Location: https://${host}\r\n` : "";
    socket.end(`HTTP/1.1 ${status}\r\n${location}Content-Length: 0\r\nConnection: close\r\n\r\n`);
    socket.once("finish", () => setTimeout(fail, 200));
  };
  const more = (chunk: Uint8Array) => {
    header += new TextDecoder("latin1").decode(chunk);
    answer();
  };
  socket.on("data", more);
  answer();
}
