/** The HTTP/2 conformance suite h2spec against our server role. */
import assert from "node:assert/strict";
import net from "node:net";
import { fileURLToPath } from "node:url";
import { serveHttp2 } from "../../src/protocol/http2/server.ts";

const installer = fileURLToPath(new URL("../../scripts/provision-h2spec", import.meta.url));
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();

async function findH2spec(): Promise<{ path?: string; reason: string }> {
  const { success, stdout, stderr } = await new Deno.Command(installer, { stdout: "piped", stderr: "piped" }).output();
  return success ? { path: text(stdout), reason: "" } : { reason: text(stderr) };
}

const { path, reason } = await findH2spec();

Deno.test({
  name: `BP-14 h2spec finds nothing wrong with the server${path ? "" : ` (skipped: ${reason})`}`,
  ignore: !path,
  async fn() {
    const server = net.createServer((socket) =>
      void serveHttp2(socket, new Uint8Array(0), async (request) => {
        if (request.method === "POST") await request.body.discard();
        return {
          status: 200,
          headers: { "content-type": "text/plain" },
          body: new TextEncoder().encode("some content"),
        };
      })
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    // One case sends a header block longer than a frame of 16 KiB, which is allowed here: it needs a longer one.
    const args = ["-h", "127.0.0.1", "-p", String(port), "--strict", "--max-header-length", "20000", "--timeout", "5"];
    const { success, stdout } = await new Deno.Command(path as string, { args, stdout: "piped" }).output();
    await new Promise((resolve) => server.close(resolve));
    const report = text(stdout);
    assert.ok(success, report.slice(Math.max(0, report.indexOf("Failures:"))));
    assert.match(report, /1[0-9]{2} tests, [0-9]+ passed, 0 skipped, 0 failed/);
  },
});
