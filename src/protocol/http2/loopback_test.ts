import assert from "node:assert/strict";
import net from "node:net";
import { connectHttp2 } from "./client.ts";
import { serveHttp2 } from "./server.ts";
Deno.test("smoke", async () => {
  const server = net.createServer((s) => {
    const c = serveHttp2(s, new Uint8Array(0), async (r) => {
      if (r.method === "POST") {
        const b = await r.body.readAll(20 << 20);
        return { status: 200, body: b };
      }
      return { status: 200, headers: { "content-type": "text/plain" }, body: new TextEncoder().encode("hi " + r.path) };
    });
    c.closed.then((e) => console.log("server closed", e));
  });
  await new Promise<void>((r) => server.listen(0, "127.0.0.1", r));
  const sock = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
  const c = connectHttp2(sock, new Uint8Array(0));
  const r = await c.request({ method: "GET", path: "/x" });
  assert.equal(new TextDecoder().decode(r.body), "hi /x");
  const big = new Uint8Array(9 << 20).map((_, i) => i * 7);
  const rs = await Promise.all([1, 2, 3, 4].map(() => c.request({ method: "POST", path: "/y", body: big })));
  for (const x of rs) assert.deepEqual(x.body, big);
  await c.close();
  server.close();
});
