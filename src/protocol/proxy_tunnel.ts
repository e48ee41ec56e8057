/** A connection through an HTTP proxy (RFC 9110 §9.3.6). */
import net from "node:net";
import { concatBytes } from "../base/bytes.ts";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { ProxyAddress } from "./server_address.ts";

const MAX_HEAD = 16 * 1024;

/** Connects to `authority` (`host:port`) through `proxy`. Rejects with {@link DozoError} when the proxy does not. */
export function openTunnel(proxy: ProxyAddress, authority: string, signal?: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: proxy.host, port: proxy.port });
    let head: Uint8Array = new Uint8Array(0);
    const settle = (error?: unknown) => {
      signal?.removeEventListener("abort", stop);
      socket.removeAllListeners();
      if (error === undefined) return resolve(socket);
      socket.destroy();
      const where = `proxy '${proxy.host}' port ${proxy.port}`;
      reject(new DozoError(`cannot connect through ${where}: ${errorMessage(error)}`, { cause: error }));
    };
    const stop = () => settle(signal?.reason);
    signal?.addEventListener("abort", stop);
    socket.once("error", settle);
    socket.once("close", () => settle(new Error("it closed the connection")));
    socket.once("connect", () => socket.write(connectRequest(proxy, authority)));
    socket.on("data", (piece: Uint8Array) => {
      head = concatBytes(head, piece);
      const text = new TextDecoder("latin1").decode(head);
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) {
        if (head.length > MAX_HEAD) settle(new Error("its answer has no end"));
        return;
      }
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
      socket.pause();
      if (!status) settle(new Error("it does not speak HTTP"));
      else if (!status.startsWith("2")) settle(new Error(`it answers with status ${status}`));
      // The server speaks first only after a TLS greeting: nothing can have come with the answer.
      else if (head.length > end + 4) settle(new Error("it sent more than its answer"));
      else settle();
    });
  });
}

function connectRequest({ authorization }: ProxyAddress, authority: string): string {
  const login = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
  return `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n${login}\r\n`;
}
