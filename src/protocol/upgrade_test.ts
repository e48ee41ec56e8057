import assert from "node:assert/strict";
import net from "node:net";
import { DozoError } from "../base/errors.ts";
import type { ServerCertificate } from "./server_address.ts";
import { startTestServer } from "./testing_server.ts";
import { openUpgrade, sessionQuery } from "./upgrade.ts";

const PROTOCOL = "proxmox-backup-protocol-v1";
const handler = () => ({ status: 200 });

Deno.test("BP-01 the upgrade request carries protocol, login and query as the servers expect them", async () => {
  await using server = await startTestServer(handler);
  const { socket } = await openUpgrade(server.address, "/api2/json/backup?store=s", PROTOCOL);
  const [request] = server.requests;
  assert.equal(request.method, "GET");
  assert.equal(request.url, "/api2/json/backup?store=s");
  assert.equal(request.headers.upgrade, PROTOCOL);
  assert.equal(request.headers.connection, "upgrade");
  assert.equal(request.headers.authorization, "PBSAPIToken root@pam!t:secret");
  assert.equal(request.headers.host, `127.0.0.1:${server.address.port}`);
  socket.destroy();
});

Deno.test("the query of a session is percent-encoded and names no root namespace", () => {
  const target = { store: "s1", backupType: "host", backupId: "a.b", backupTime: 17, ns: "" } as const;
  assert.equal(sessionQuery(target), "backup-id=a.b&backup-time=17&backup-type=host&debug=false&store=s1");
  const inner = sessionQuery({ ...target, ns: "a/b", debug: true }, { benchmark: "false" });
  assert.equal(inner, "backup-id=a.b&backup-time=17&backup-type=host&benchmark=false&debug=true&ns=a%2Fb&store=s1");
});

Deno.test("a refusal is the server's status and text", async () => {
  await using server = await startTestServer(handler, (_request, socket) => {
    socket.end("HTTP/1.1 403 Forbidden\r\nContent-Length: 23\r\n\r\npermission check failed");
    return true;
  });
  await assert.rejects(
    openUpgrade(server.address, "/", PROTOCOL),
    (error) => error instanceof DozoError && error.status === 403 && error.message === "permission check failed",
  );
});

Deno.test("the certificate is judged before anything is sent", async () => {
  await using server = await startTestServer(handler);
  let shown: ServerCertificate | undefined;
  const checkCertificate = (certificate: ServerCertificate) => {
    shown = certificate;
    throw new DozoError("fingerprint does not match");
  };
  await assert.rejects(openUpgrade({ ...server.address, checkCertificate }, "/", PROTOCOL), /does not match/);
  assert.equal(shown?.fingerprint, server.fingerprint);
  assert.equal(shown?.trusted, false);
  assert.equal(server.requests.length, 0);
  const strict = { ...server.address, checkCertificate: undefined };
  await assert.rejects(openUpgrade(strict, "/", PROTOCOL), new RegExp(`not trusted.*${server.fingerprint}`));
});

Deno.test("a server that is not there, or speaks no TLS, is named in the error", async () => {
  await using server = await startTestServer(handler);
  const { port } = server.address;
  const plain = net.createServer((socket) => void socket.resume().end("220 welcome\r\n"));
  await new Promise<void>((resolve) => plain.listen(0, "127.0.0.1", resolve));
  const wrong = { ...server.address, port: (plain.address() as net.AddressInfo).port };
  await assert.rejects(openUpgrade(wrong, "/", PROTOCOL), /cannot connect to '127\.0\.0\.1' port \d+/);
  await new Promise((resolve) => plain.close(resolve));
  await assert.rejects(openUpgrade(wrong, "/", PROTOCOL), /cannot connect to '127\.0\.0\.1' port \d+/);
  await assert.rejects(
    openUpgrade({ ...server.address, host: "no-such-host.invalid", port }, "/", PROTOCOL),
    DozoError,
  );
});

Deno.test("an upgrade can be aborted, and line breaks in login data do not reach the wire", async () => {
  await using server = await startTestServer(handler, () => true);
  const abort = new AbortController();
  const waiting = openUpgrade(server.address, "/", PROTOCOL, abort.signal);
  setTimeout(() => abort.abort(new Error("interrupted")), 50);
  await assert.rejects(waiting, /interrupted/);
  const injected = { ...server.address, headers: { Cookie: "a\r\nX: y" } };
  await assert.rejects(openUpgrade(injected, "/", PROTOCOL), /line break/);
});
