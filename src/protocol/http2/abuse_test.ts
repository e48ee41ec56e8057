/** A peer that misbehaves ends its own connection, and nothing more. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { connectHttp2 } from "./client.ts";
import { ErrorCode } from "./errors.ts";
import * as frames from "./frames.ts";
import { FrameType } from "./frames.ts";
import type { Field } from "./hpack/dynamic_table.ts";
import { serveHttp2 } from "./server.ts";
import { RawPeer, socketPair } from "./testing.ts";
import type { Http2Handler, Http2Options, ServerConnection } from "./types.ts";

const MIB = 1024 * 1024;
const none = new Uint8Array(0);
const ping = frames.buildFrame(FrameType.PING, 0, 0, new Uint8Array(8));
const ok: Http2Handler = async (request) => ({ status: 200, body: await request.body.readAll(MIB) });

function attack(handler: Http2Handler = ok, options: Http2Options = {}): { peer: RawPeer; server: ServerConnection } {
  const [a, b] = socketPair();
  const server = serveHttp2(a, none, handler, options);
  const peer = new RawPeer(b);
  peer.open();
  return { peer, server };
}

/** The connection ends with this code; its `closed` says why. */
async function endsWith(code: number, peer: RawPeer, server: ServerConnection): Promise<void> {
  assert.equal(await peer.goaway(), code);
  assert.ok((await server.closed).error instanceof Error);
}

/** The connection still works. */
async function alive(peer: RawPeer, streamId: number): Promise<void> {
  peer.request(streamId, "GET", "/alive");
  assert.ok(await peer.frame(FrameType.HEADERS, (frame) => frame.streamId === streamId), "no answer any more");
  peer.destroy();
}

const FLOODS: readonly (readonly [what: string, frame: (i: number) => Uint8Array])[] = [
  ["PING", () => ping],
  ["SETTINGS", () => frames.buildSettings({ initialWindowSize: 70000 })],
  ["PRIORITY", () => frames.buildFrame(FrameType.PRIORITY, 0, 5, Uint8Array.of(0, 0, 0, 1, 1))],
  ["empty DATA", () => frames.buildFrame(FrameType.DATA, 0, 1, none)],
  ["small WINDOW_UPDATE", () => frames.buildWindowUpdate(0, 1)],
  ["unknown frames", () => frames.buildFrame(0x77, 0, 0, none)],
  ["GOAWAY", () => frames.buildGoaway(0, 0)],
];

for (const [what, frame] of FLOODS) {
  Deno.test(`a flood of ${what} ends the connection`, async () => {
    const { peer, server } = attack();
    peer.request(1, "POST", "/", false);
    peer.send(concatBytes(...Array.from({ length: 5000 }, (_, i) => frame(i))));
    await endsWith(ErrorCode.ENHANCE_YOUR_CALM, peer, server);
  });
}

Deno.test("streams opened and reset at once end the connection long before the handlers pile up", async () => {
  let started = 0;
  const { peer, server } = attack(() => {
    started++;
    return new Promise(() => {});
  });
  for (let id = 1; id < 4000; id += 2) {
    peer.request(id, "POST", "/", false);
    peer.send(frames.buildReset(id, ErrorCode.CANCEL));
  }
  assert.equal(await peer.goaway(), ErrorCode.ENHANCE_YOUR_CALM);
  assert.ok(started <= 400, `${started} handlers`);
  void server;
});

Deno.test("a peer that sends PINGs and reads no answer is dropped", async () => {
  const [a, b] = socketPair();
  const server = serveHttp2(a, none, ok);
  b.write(frames.PREFACE);
  b.write(frames.buildSettings({}));
  b.pause();
  const some = concatBytes(...Array.from({ length: 1000 }, () => ping));
  const timer = setInterval(() => b.write(some), 1);
  const { error } = await server.closed;
  clearInterval(timer);
  assert.match(String(error), /ENHANCE_YOUR_CALM/);
  b.destroy();
});

Deno.test("CONTINUATION without end ends the connection", async () => {
  const { peer, server } = attack();
  peer.send(frames.buildFrame(FrameType.HEADERS, 1, 1, Uint8Array.of(0x82)));
  for (let i = 0; i < 200; i++) peer.send(frames.buildFrame(FrameType.CONTINUATION, 0, 1, Uint8Array.of(0x82)));
  await endsWith(ErrorCode.ENHANCE_YOUR_CALM, peer, server);
});

Deno.test("a header block of many frames is bounded in bytes", async () => {
  const { peer, server } = attack();
  peer.send(frames.buildFrame(FrameType.HEADERS, 1, 1, new Uint8Array(16000).fill(0x82)));
  for (let i = 0; i < 6; i++) {
    peer.send(frames.buildFrame(FrameType.CONTINUATION, 0, 1, new Uint8Array(16000).fill(0x82)));
  }
  await endsWith(ErrorCode.ENHANCE_YOUR_CALM, peer, server);
});

Deno.test("a header list above the announced size is refused with 431, and the connection goes on", async () => {
  const { peer } = attack();
  const large: Field[] = Array.from({ length: 6 }, (_, i) => [`x-${i}`, String(i).repeat(4000)]);
  peer.request(1, "GET", "/", true, large);
  const answer = await peer.frame(FrameType.HEADERS, (frame) => frame.streamId === 1);
  assert.deepEqual(peer.decoder.decode((answer as { payload: Uint8Array }).payload, 1000).fields[0], [
    ":status",
    "431",
  ]);
  await alive(peer, 3);
});

Deno.test("a header block that cannot be decoded ends the connection", async () => {
  const { peer, server } = attack();
  peer.send(frames.buildHeaders(1, Uint8Array.of(0x82, 0xbf, 0xff), true, 16384));
  await endsWith(ErrorCode.COMPRESSION_ERROR, peer, server);
});

Deno.test("more data than the connection window ends the connection", async () => {
  const { peer, server } = attack(() => new Promise(() => {}), {
    connectionWindow: 70_000,
    receiveBudget: 80_000,
    receiveLimit: 200_000,
  });
  void server;
  peer.request(1, "POST", "/", false);
  for (let i = 0; i < 20; i++) peer.data(1, new Uint8Array(16000), false);
  assert.ok([ErrorCode.FLOW_CONTROL_ERROR, ErrorCode.ENHANCE_YOUR_CALM].includes(await peer.goaway() as 3));
});

Deno.test("more data than a stream's window resets the stream alone", async () => {
  const { peer } = attack(async (request) => {
    if (request.method === "POST") await new Promise((resolve) => request.signal.addEventListener("abort", resolve));
    return { status: 200 };
  }, { streamWindow: 65535 });
  peer.request(1, "POST", "/", false);
  for (let i = 0; i < 5; i++) peer.data(1, new Uint8Array(16000), false);
  assert.equal(await peer.reset(1), ErrorCode.FLOW_CONTROL_ERROR);
  peer.data(1, new Uint8Array(16000), true);
  await alive(peer, 3);
});

Deno.test("a window beyond 2³¹−1 resets the stream, or ends the connection when it is the connection's", async () => {
  const stream = attack(() => new Promise(() => {}));
  stream.peer.request(1, "POST", "/", false);
  stream.peer.send(frames.buildWindowUpdate(1, 0x7fff_ffff));
  assert.equal(await stream.peer.reset(1), ErrorCode.FLOW_CONTROL_ERROR);
  stream.peer.destroy();
  const connection = attack();
  connection.peer.send(frames.buildWindowUpdate(0, 0x7fff_ffff));
  await endsWith(ErrorCode.FLOW_CONTROL_ERROR, connection.peer, connection.server);
  const settings = attack(() => new Promise(() => {}));
  settings.peer.request(1, "POST", "/", false);
  settings.peer.send(frames.buildWindowUpdate(1, 0x7fff_0000 - 65535));
  settings.peer.send(frames.buildSettings({ initialWindowSize: 0x7fff_ffff }));
  assert.equal(await settings.peer.goaway(), ErrorCode.FLOW_CONTROL_ERROR);
});

Deno.test("streams above the announced number are refused one by one", async () => {
  const { peer } = attack(async (request) => {
    await request.body.discard();
    return { status: 200 };
  }, { maxConcurrentStreams: 3 });
  for (const id of [1, 3, 5]) peer.request(id, "POST", "/", false);
  peer.request(7, "POST", "/", true);
  assert.equal(await peer.reset(7), ErrorCode.REFUSED_STREAM);
  peer.data(1, none, true);
  await peer.frame(FrameType.HEADERS, (frame) => frame.streamId === 1);
  await alive(peer, 9);
});

Deno.test("unfinished bodies that nobody completes are bounded in memory", async () => {
  const { peer, server } = attack(() => new Promise(() => {}), {
    connectionWindow: 100_000,
    receiveBudget: 400_000,
    receiveLimit: 1_000_000,
    maxConcurrentStreams: 1000,
  });
  void server;
  for (let id = 1; id < 400; id += 2) {
    peer.request(id, "POST", "/", false);
    peer.data(id, new Uint8Array(10_000), false);
    await Promise.resolve();
  }
  assert.ok([ErrorCode.FLOW_CONTROL_ERROR, ErrorCode.ENHANCE_YOUR_CALM].includes(await peer.goaway() as 3));
});

Deno.test("a client that does not read its downloads gets few of them prepared", async () => {
  let started = 0;
  const { peer, server } = attack(() => {
    started++;
    return { status: 200, body: new Uint8Array(MIB) };
  }, { sendBudget: 4 * MIB });
  for (let id = 1; id < 200; id += 2) peer.request(id, "GET", "/chunk");
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(started <= 10, `${started} answers in memory`);
  peer.destroy();
  await server.closed;
});

Deno.test("a body that differs from its content-length resets the stream", async () => {
  const { peer } = attack();
  peer.request(1, "POST", "/", false, [["content-length", "10"]]);
  peer.data(1, new Uint8Array(11), false);
  assert.equal(await peer.reset(1), ErrorCode.PROTOCOL_ERROR);
  peer.request(3, "POST", "/", false, [["content-length", "10"]]);
  peer.data(3, new Uint8Array(9), true);
  assert.equal(await peer.reset(3), ErrorCode.PROTOCOL_ERROR);
  await alive(peer, 5);
});

Deno.test("another protocol on the port ends the connection", async () => {
  const [a, b] = socketPair();
  const server = serveHttp2(a, none, ok);
  b.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  b.resume();
  assert.match(String((await server.closed).error), /preface/);
});

Deno.test("a server that floods or lies ends the client's connection and rejects its requests", async () => {
  const lies: ((peer: RawPeer) => void)[] = [
    (peer) => peer.send(concatBytes(...Array.from({ length: 5000 }, () => ping))),
    (peer) => peer.headers(2, [[":status", "200"]], true),
    (peer) => peer.headers(9, [[":status", "200"]], true),
    (peer) => peer.data(1, new Uint8Array(10), false),
    (peer) => peer.headers(1, [[":status", "2000"]], false),
    (peer) => peer.headers(1, [[":status", "200"], ["content-length", "5"]], true),
    (peer) => peer.send(frames.buildFrame(FrameType.PUSH_PROMISE, 4, 1, Uint8Array.of(0, 0, 0, 2))),
    (peer) => peer.send(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")),
    (peer) => peer.send(frames.buildGoaway(0, ErrorCode.INTERNAL_ERROR, "no more")),
    (peer) => peer.destroy(),
  ];
  for (const lie of lies) {
    const [a, b] = socketPair();
    const client = connectHttp2(b, none);
    const peer = new RawPeer(a, true);
    const request = client.request({ method: "GET", path: "/" });
    request.catch(() => {});
    peer.send(frames.buildSettings({}));
    await peer.frame(FrameType.HEADERS);
    lie(peer);
    await assert.rejects(request, Error, String(lie));
    client.abort();
    await client.closed;
  }
});

Deno.test("mutated conversations leave the server standing: an answer, a reset or the end of the connection", async () => {
  const block = (peer: RawPeer, endStream: boolean, id: number) =>
    frames.buildHeaders(
      id,
      peer.encoder.encode([[":method", "POST"], [":scheme", "https"], [":path", "/x"], ["content-type", "a/b"]]),
      endStream,
      16384,
    );
  const change = fc.tuple(fc.nat(), fc.nat(255));
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 6 }),
      fc.nat(400),
      fc.uint8Array({ maxLength: 30 }),
      async (changes, at, more) => {
        const [a, b] = socketPair();
        const server = serveHttp2(a, none, ok);
        const peer = new RawPeer(b);
        const good = concatBytes(
          frames.buildSettings({ initialWindowSize: 1000 }),
          block(peer, false, 1),
          frames.buildFrame(FrameType.DATA, 8, 1, Uint8Array.of(2, 65, 66, 0, 0)),
          frames.buildWindowUpdate(1, 10),
          block(peer, true, 3),
          frames.buildFrame(FrameType.DATA, 1, 1, new Uint8Array(50)),
          ping,
          frames.buildReset(3, 8),
        );
        const bad = concatBytes(good.subarray(0, at), more, good.subarray(at));
        for (const [place, value] of changes) bad[place % bad.length] = value;
        peer.send(frames.PREFACE, bad);
        await new Promise((resolve) => setTimeout(resolve, 0));
        server.abort();
        await server.closed;
      },
    ),
    { numRuns: 200 },
  );
});
