import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { connect, type TLSSocket } from "node:tls";
import { join } from "node:path";
import { Api } from "../api/dispatch.ts";
import { METHODS } from "../api/table.ts";
import { type Certificate, loadCertificate } from "../config/certificate.ts";
import { createDirectories, stateDirectories } from "../config/directories.ts";
import { Front } from "./front.ts";
import { accessLine, LogFile } from "./log_file.ts";
import { parseListen } from "./options.ts";
import { runServer } from "./run.ts";
import { makeServices } from "./services.ts";

interface Info {
  readonly url: string;
  readonly port: number;
  readonly workers: number[];
}

async function withRoot(work: (root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "dozo-server-" });
  const quiet = console.error;
  console.error = () => {};
  try {
    await work(root);
  } finally {
    console.error = quiet;
    await Deno.remove(root, { recursive: true });
  }
}

async function until<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 300; i++) {
    const value = await probe().catch(() => undefined);
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("it did not happen within 30 s");
}

/** Sends raw text over TLS and collects what comes back until the connection ends or `enough` is seen. */
function exchange(port: number, text: string | Uint8Array, enough = /\r\n\r\n/): Promise<string> {
  return new Promise((resolve) => {
    let got = "";
    const socket: TLSSocket = connect(
      { port, host: "127.0.0.1", rejectUnauthorized: false },
      () => void socket.write(text),
    );
    socket.on("data", (data) => {
      got += new TextDecoder("latin1").decode(data);
      if (enough.test(got)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(got));
  });
}

async function plain(port: number, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(text));
  return await new Response(connection.readable).text();
}

Deno.test("a server starts in an empty directory, shows its first login once, serves, and stops in order", () =>
  withRoot(async (root) => {
    const infoPath = join(root, "run", "server.json");
    const start = async () => {
      const lines: string[] = [];
      const stop = new AbortController();
      const done = runServer({
        root,
        listen: "127.0.0.1:0",
        workers: 1,
        signal: stop.signal,
        print: (line) => lines.push(line),
      });
      const info: Info = await Promise.race([
        until(async () => JSON.parse(await Deno.readTextFile(infoPath))),
        done.then(() => Promise.reject(new Error("it ended"))),
      ]);
      return { lines, stop, done, info };
    };
    const first = await start();
    const password = first.lines.map((line) => /shown only this once\): (.+)$/.exec(line)?.[1]).find(Boolean);
    assert.ok(password);
    const chain = await Deno.readTextFile(join(root, "etc", "proxy.pem"));
    using client = Deno.createHttpClient({ caCerts: [chain] });
    const credentials = { client, method: "POST", body: new URLSearchParams({ username: "admin@pbs", password }) };
    const login = await fetch(`https://localhost:${first.info.port}/api2/json/access/ticket`, credentials);
    assert.equal(login.status, 200);
    const { ticket } = (await login.json()).data;
    const request = { client, headers: { cookie: `PBSAuthCookie=${encodeURIComponent(ticket)}` } };
    const version = await fetch(`https://localhost:${first.info.port}/api2/json/version`, request);
    assert.equal((await version.json()).data.version, "4.2");
    await assert.rejects(runServer({ root, listen: "127.0.0.1:0", workers: 1 }), /another dozo server uses this state/);
    first.stop.abort();
    await first.done;
    await assert.rejects(Deno.stat(infoPath), Deno.errors.NotFound);
    const log = await Deno.readTextFile(join(root, "var", "log", "api", "access.log"));
    assert.match(log, /^\[127\.0\.0\.1\]:\d+ - admin@pbs \[.+\] "GET \/api2\/json\/version" 200 \d+ /m);

    const second = await start();
    assert.ok(!second.lines.some((line) => line.includes("password")));
    const again = await fetch(`https://localhost:${second.info.port}/api2/json/version`, request);
    assert.equal(again.status, 200, "tickets outlive a restart");
    await again.body?.cancel();
    second.stop.abort();
    await second.done;
  }));

Deno.test("several processes share the port, and one that is killed is replaced", () =>
  withRoot(async (root) => {
    const stop = new AbortController();
    const done = runServer({ root, listen: "127.0.0.1:0", workers: 2, signal: stop.signal, print: () => {} });
    try {
      const info: Info = await until(async () => JSON.parse(await Deno.readTextFile(join(root, "run", "server.json"))));
      assert.equal(info.workers.length, 2);
      const ping = () => exchange(info.port, "GET /api2/json/ping HTTP/1.1\r\nHost: x\r\n\r\n", /pong/);
      assert.match(await ping(), /"pong":true/);
      Deno.kill(info.workers[0], "SIGKILL");
      for (let i = 0; i < 20; i++) assert.match(await until(async () => (await ping()) || undefined), /"pong":true/);
    } finally {
      stop.abort();
      await done;
    }
  }));

/** A front on a free port, with short limits. */
async function withFront(work: (port: number, front: Front) => Promise<void>): Promise<void> {
  await withRoot(async (root) => {
    const directories = stateDirectories(root);
    await createDirectories(directories);
    const services = await makeServices(directories);
    const certificate: Certificate = await loadCertificate(directories.etc);
    const limits = { handshake: 1000, header: 1000, idle: 1500, connections: 200 };
    const front = new Front(new Api(METHODS, services), certificate, new LogFile("/dev/null"), limits);
    const port = await front.listen({ host: "127.0.0.1", port: 0 });
    try {
      await work(port, front);
    } finally {
      front.destroy();
      await services.close("test is over");
    }
  });
}

Deno.test("plain HTTP on the TLS port is sent to https", () =>
  withFront(async (port) => {
    assert.match(
      await plain(port, "GET /some/path HTTP/1.1\r\nHost: backup.example:8007\r\n\r\n"),
      /^HTTP\/1\.1 301 .*\r\nLocation: https:\/\/backup\.example:8007\r\n/,
    );
    assert.match(
      await plain(port, "POST / HTTP/1.1\r\nhost: [::1]:1\r\n\r\n"),
      /^HTTP\/1\.1 308 .*\r\nLocation: https:\/\/\[::1\]:1\r\n/,
    );
    assert.match(await plain(port, "GET / HTTP/1.0\r\n\r\n"), /^HTTP\/1\.1 400 /);
    assert.match(await plain(port, 'GET / HTTP/1.1\r\nHost: a b"<\r\n\r\n'), /^HTTP\/1\.1 400 /);
  }));

Deno.test("idle, slow and senseless connections are ended, and the server goes on", () =>
  withFront(async (port, front) => {
    const ping = async () =>
      assert.match(await exchange(port, "GET /api2/json/ping HTTP/1.1\r\nHost: x\r\n\r\n", /pong/), /pong/);
    const started = performance.now();
    const silent = plain(port, "");
    const halfHeader = exchange(port, "GET /api2/json/ping HTTP/1.1\r\nHost: x\r\nX-Slow: ");
    const halfTls = plain(port, "\x16\x03\x01\x02\x00\x01");
    await ping();
    await Promise.all([silent, halfHeader, halfTls]);
    assert.ok(performance.now() - started < 6000, "they were ended in time");
    await Promise.all(Array.from({ length: 100 }, (_, i) => {
      const noise = Uint8Array.from(randomBytes(1 + i * 7));
      if (i % 2) noise[0] = 0x16;
      return (async () => {
        using connection = await Deno.connect({ hostname: "127.0.0.1", port });
        await connection.write(noise).catch(() => {});
        await new Response(connection.readable).text().catch(() => {});
      })();
    }));
    const long = await exchange(port, `GET /api2/json/ping HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(40_000)}\r\n\r\n`);
    assert.ok(!long.includes("pong"), "a header of 40 KB is refused");
    assert.ok(!(await exchange(port, "\0\0\0 nonsense\r\n\r\n")).includes("pong"));
    assert.match(
      await exchange(port, `GET /api2/json/x?${"y".repeat(4000)} HTTP/1.1\r\nHost: x\r\n\r\n`),
      /^HTTP\/1\.1 414 /,
    );
    await ping();
    await until(async () => await Promise.resolve(front.connections === 0 || undefined));
  }));

Deno.test("a connection serves several requests, and a refused upgrade answers like any other call", () =>
  withFront(async (port) => {
    const request = "GET /api2/json/ping HTTP/1.1\r\nHost: x\r\n\r\n";
    const twice = await exchange(port, request + request, /pong[^]*pong/);
    assert.equal(twice.match(/HTTP\/1\.1 200 OK/g)?.length, 2);
    const upgrade =
      "GET /api2/json/backup HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: proxmox-backup-protocol-v1\r\n\r\n";
    const started = performance.now();
    const refused = await exchange(port, upgrade, /failed/);
    assert.match(refused, /^HTTP\/1\.1 401 [^]*set-cookie: __Host-PBSAuthCookie=;[^]*\r\n\r\nauthentication failed$/i);
    assert.ok(performance.now() - started >= 2900, "slowed down");
    assert.match(
      await exchange(port, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", /method for path/),
      /^HTTP\/1\.1 400 /,
    );
    assert.match(
      await exchange(port, "GET /nosuchfile.js HTTP/1.1\r\nHost: x\r\n\r\n", /no such file: 'nosuchfile.js'/),
      /^HTTP\/1\.1 404 /,
    );
  }));

Deno.test("a body that is too long is refused without being read to its end", () =>
  withFront(async (port) => {
    const head =
      "POST /api2/json/access/ticket HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    const answer = await exchange(
      port,
      `${head}Content-Length: 999999999\r\n\r\npassword=${"x".repeat(700_000)}`,
      /too large/,
    );
    assert.match(answer, /^HTTP\/1\.1 400 [^]*Request body too large$/);
  }));

Deno.test("addresses to listen on", () => {
  assert.deepEqual(parseListen(undefined), { host: "::", port: 8007 });
  assert.deepEqual(parseListen(":9000"), { host: "::", port: 9000 });
  assert.deepEqual(parseListen("9000"), { host: "::", port: 9000 });
  assert.deepEqual(parseListen("127.0.0.1:0"), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(parseListen("[::1]:1"), { host: "::1", port: 1 });
  for (const bad of ["x", "1.2.3.4", "a:70000", "::1:80", "[::1"]) {
    assert.throws(() => parseListen(bad), /unable to listen/, bad);
  }
});

Deno.test("lines of the access log have the known form and cannot be forged", () => {
  const line = accessLine({
    peer: "[::1]:5",
    authid: "a@pbs",
    verb: "GET",
    path: '/x" 200 1 -\n[evil]',
    status: 404,
    bytes: 12,
    agent: 'curl"\n',
  }, new Date("2026-01-02T03:04:05Z"));
  assert.match(
    line,
    /^\[::1\]:5 - a@pbs \[\d\d\/01\/2026:\d\d:\d\d:05 [+-]\d{4}\] "GET \/x\? 200 1 -\?\[evil\]" 404 12 curl\?\?$/,
  );
});
