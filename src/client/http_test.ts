import assert from "node:assert/strict";
import { createServer, type Server } from "node:https";
import net, { type AddressInfo } from "node:net";
import { DozoError } from "../base/errors.ts";
import type { ServerCertificate } from "../protocol/server_address.ts";
import { testCertificate } from "./fake_pbs_for_test.ts";
import { HttpClient } from "./http.ts";
import { parseProxy } from "./proxy.ts";

interface Served {
  readonly port: number;
  readonly requests: string[];
  connections: number;
}

/** Runs `work` with a server that answers with what it got; `/slam` closes the connection after the answer without a word. */
async function withServer(work: (served: Served) => Promise<void>): Promise<void> {
  const requests: string[] = [];
  const server: Server = createServer(testCertificate(), async (request, response) => {
    let body = "";
    for await (const part of request) body += part;
    requests.push(`${request.method} ${request.url} ${body} ${request.headers.authorization ?? ""}`);
    response.setHeader("X-Method", request.method ?? "");
    response.end(request.url === "/big" ? "x".repeat(100_000) : `got ${body}`);
    if (request.url === "/slam") response.once("finish", () => setTimeout(() => request.socket.destroy(), 5));
  });
  const served: Served = { port: 0, requests, connections: 0 };
  server.on("secureConnection", () => served.connections++);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await work(Object.assign(served, { port: (server.address() as AddressInfo).port }));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

function clientOf({ port }: Served, checkCertificate?: (certificate: ServerCertificate) => void): HttpClient {
  return new HttpClient({ host: "127.0.0.1", port, headers: { Authorization: "me" }, checkCertificate });
}

const accept = () => {};
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("requests follow each other on one connection", async () => {
  await withServer(async (served) => {
    const client = clientOf(served, accept);
    for (const method of ["GET", "PUT", "DELETE"]) {
      const body = method === "PUT" ? new TextEncoder().encode("body") : undefined;
      const answer = await client.request(method, "/a", { body });
      assert.deepEqual([answer.status, text(answer.body), answer.headers["x-method"]], [
        200,
        `got ${text(body ?? new Uint8Array(0))}`,
        method,
      ]);
    }
    client.close();
    assert.deepEqual(served.requests, ["GET /a  me", "PUT /a body me", "DELETE /a  me"]);
    assert.equal(served.connections, 1);
  });
});

Deno.test("a connection that the server closed meanwhile is replaced", async () => {
  await withServer(async (served) => {
    const client = clientOf(served, accept);
    for (let i = 0; i < 5; i++) {
      assert.equal((await client.request("GET", "/slam")).status, 200);
      await new Promise((resolve) => setTimeout(resolve, i * 3));
    }
    client.close();
    assert.equal(served.requests.length, 5);
  });
});

Deno.test("CL-24 nothing is sent to a server whose certificate is refused", async () => {
  await withServer(async (served) => {
    let seen: ServerCertificate | undefined;
    const refusing = clientOf(served, (certificate) => {
      seen = certificate;
      throw new DozoError("not this one");
    });
    await assert.rejects(refusing.request("GET", "/secret"), /not this one/);
    assert.match(seen?.fingerprint ?? "", /^([0-9a-f]{2}:){31}[0-9a-f]{2}$/);
    assert.equal(seen?.trusted, false);
    await assert.rejects(clientOf(served).request("GET", "/secret"), /certificate/);
    assert.deepEqual(served.requests, []);
  });
});

/** A proxy that counts what it connects, and asks for a login. */
async function withProxy(work: (port: number, asked: string[]) => Promise<void>): Promise<void> {
  const asked: string[] = [];
  const sockets = new Set<net.Socket>();
  const proxy = net.createServer((client) => {
    sockets.add(client);
    client.on("error", () => {});
    client.once("data", (head: Uint8Array) => {
      const lines = new TextDecoder().decode(head).split("\r\n");
      asked.push(lines[0]);
      if (!lines.includes(`Proxy-Authorization: Basic ${btoa("me:secret")}`)) {
        client.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
        return;
      }
      const [host, port] = lines[0].split(" ")[1].split(":");
      const server = net.connect({ host, port: Number(port) }, () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        client.pipe(server).pipe(client);
      });
      sockets.add(server);
      server.on("error", () => client.destroy());
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  try {
    await work((proxy.address() as AddressInfo).port, asked);
  } finally {
    sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => proxy.close(resolve));
  }
}

Deno.test("CL-25 requests go through a proxy, which is told nothing but where to", async () => {
  await withServer((served) =>
    withProxy(async (port, asked) => {
      const address = { host: "127.0.0.1", port: served.port, headers: {}, checkCertificate: accept };
      const client = new HttpClient({ ...address, proxy: parseProxy(`http://me:secret@127.0.0.1:${port}`) });
      for (let i = 0; i < 2; i++) assert.equal((await client.request("GET", "/a")).status, 200);
      client.close();
      assert.deepEqual(asked, [`CONNECT 127.0.0.1:${served.port} HTTP/1.1`]);
      const stranger = new HttpClient({ ...address, proxy: parseProxy(`127.0.0.1:${port}`) });
      await assert.rejects(stranger.request("GET", "/a"), /cannot connect through proxy .* answers with status 407/);
      const nobody = new HttpClient({ ...address, proxy: parseProxy("127.0.0.1:1") });
      await assert.rejects(nobody.request("GET", "/a"), /cannot connect through proxy '127\.0\.0\.1' port 1/);
    })
  );
});

Deno.test("a server that closes the connection instead of a TLS greeting is an error", async () => {
  const server = net.createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await assert.rejects(new HttpClient({ host: "127.0.0.1", port, headers: {} }).request("GET", "/"), /cannot connect/);
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("an answer beyond the limit, a line break in a header and a server that is not there are errors", async () => {
  await withServer(async (served) => {
    const client = clientOf(served, accept);
    await assert.rejects(client.request("GET", "/big", { limit: 99_999 }), /longer than 99999 bytes/);
    assert.equal((await client.request("GET", "/big", { limit: 100_000 })).body.length, 100_000);
    await assert.rejects(client.request("GET", "/a", { headers: { Cookie: "a\r\nb" } }), /line break/);
    client.close();
  });
  await assert.rejects(
    new HttpClient({ host: "127.0.0.1", port: 1, headers: {} }).request("GET", "/"),
    /cannot connect to '127.0.0.1' port 1/,
  );
});
