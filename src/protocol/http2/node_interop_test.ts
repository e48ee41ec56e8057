/** The runtime's own HTTP/2 as the other side. */
import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { connectHttp2 } from "./client.ts";
import { serveHttp2 } from "./server.ts";
import type { Http2Request, Http2Response } from "./types.ts";

const MIB = 1024 * 1024;
const none = new Uint8Array(0);

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as net.AddressInfo).port;
}

function ask(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: Uint8Array,
): Promise<{ status: number; headers: http2.IncomingHttpHeaders; body: Uint8Array }> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined });
    const parts: Uint8Array[] = [];
    let received: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader = {};
    stream.on("response", (answer) => received = answer);
    stream.on("data", (part: Uint8Array) => parts.push(part));
    stream.on(
      "end",
      () => resolve({ status: received[":status"] ?? 0, headers: received, body: Buffer.concat(parts) }),
    );
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

const handler = async (request: Http2Request): Promise<Http2Response> => {
  if (request.path === "/missing") return { status: 404, headers: { "content-type": "text/plain" } };
  if (request.path === "/stream") {
    return {
      status: 200,
      body: (async function* () {
        for (let i = 0; i < 50; i++) yield await Promise.resolve(new Uint8Array(100_000).fill(i));
      })(),
    };
  }
  return { status: 200, headers: { "x-method": request.method }, body: await request.body.readAll(32 * MIB) };
};

Deno.test("the runtime's HTTP/2 client talks to our server", async () => {
  const server = net.createServer((socket) => void serveHttp2(socket, none, handler));
  const port = await listen(server);
  const session = http2.connect("http://127.0.0.1", { createConnection: () => net.connect(port, "127.0.0.1") });
  const big = crypto.getRandomValues(new Uint8Array(65536));
  const body = Buffer.concat(Array.from({ length: 80 }, () => big));
  const post = () => ask(session, { ":method": "POST", ":path": "/echo" }, body);
  const [missing, stream, ...echoes] = await Promise.all([
    ask(session, { ":path": "/missing" }),
    ask(session, { ":path": "/stream" }),
    post(),
    post(),
    post(),
  ]);
  assert.deepEqual([missing.status, missing.headers["content-type"]], [404, "text/plain"]);
  assert.equal(stream.body.length, 5_000_000);
  for (const echo of echoes) assert.ok(echo.status === 200 && Buffer.compare(echo.body, body) === 0);
  await new Promise<void>((resolve) => session.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("our client talks to the runtime's HTTP/2 server", async () => {
  const sessions = new Set<http2.ServerHttp2Session>();
  const server = http2.createServer();
  server.on("session", (session) => sessions.add(session));
  server.on("stream", (stream, headers) => {
    const parts: Uint8Array[] = [];
    stream.on("data", (part: Uint8Array) => parts.push(part));
    stream.on("error", () => {});
    stream.on("end", () => {
      if (headers[":path"] === "/reset") return stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
      stream.respond({ ":status": 200, "x-path": String(headers[":path"]) });
      stream.end(Buffer.concat(parts));
    });
  });
  const port = await listen(server);
  const client = connectHttp2(net.connect(port, "127.0.0.1"), none);
  const body = new Uint8Array(3 * MIB).map((_, i) => i % 251);
  const [empty, first, second] = await Promise.all([
    client.request({ method: "GET", path: "/a?b=c" }),
    client.request({ method: "POST", path: "/1", body }),
    client.request({ method: "POST", path: "/2", body: [body.subarray(0, MIB), body.subarray(MIB)] }),
  ]);
  assert.deepEqual([empty.status, empty.headers.get("x-path"), empty.body.length], [200, "/a?b=c", 0]);
  for (const answer of [first, second]) assert.ok(Buffer.compare(answer.body, body) === 0);
  await assert.rejects(client.request({ method: "GET", path: "/reset" }), /INTERNAL_ERROR/);
  const { body: pieces } = await client.requestStream({ method: "POST", path: "/s", body });
  let length = 0;
  for await (const piece of pieces) length += piece.length;
  assert.equal(length, body.length);
  await client.close();
  for (const session of sessions) session.destroy();
  await new Promise((resolve) => server.close(resolve));
});

Deno.test("64 uploads that are sent turn by turn all finish, although only some fit the server's memory", async () => {
  let working = 0;
  const server = net.createServer((socket) =>
    void serveHttp2(socket, none, async (request) => {
      const body = await request.body.readAll(MIB, 300_000, true);
      while (working >= 4) await new Promise((resolve) => setTimeout(resolve, 1));
      working++;
      await new Promise((resolve) => setTimeout(resolve, 1));
      working--;
      return { status: 200, body: new TextEncoder().encode(String(body.length)) };
    }, { connectionWindow: MIB, receiveBudget: 2 * MIB })
  );
  const port = await listen(server);
  const session = http2.connect("http://127.0.0.1", { createConnection: () => net.connect(port, "127.0.0.1") });
  const body = new Uint8Array(300_000);
  const upload = () =>
    new Promise<string>((resolve, reject) => {
      const stream = session.request({ ":method": "POST", ":path": "/" });
      let answer = "";
      let at = 0;
      const sendOn = () => {
        while (at < body.length) {
          const more = stream.write(body.subarray(at, at += 10_000));
          if (!more) return void stream.once("drain", sendOn);
        }
        stream.end();
      };
      stream.on("data", (part: Uint8Array) => answer += new TextDecoder().decode(part));
      stream.on("end", () => resolve(answer));
      stream.on("error", reject);
      sendOn();
    });
  const answers = await Promise.all(Array.from({ length: 64 }, upload));
  assert.deepEqual(new Set(answers), new Set(["300000"]));
  await new Promise<void>((resolve) => session.close(() => resolve()));
  await new Promise((resolve) => server.close(resolve));
});
