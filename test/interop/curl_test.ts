/** curl (nghttp2) as the client of our server role. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import net from "node:net";
import { serveHttp2 } from "../../src/protocol/http2/server.ts";

const MIB = 1024 * 1024;

async function hasHttp2(): Promise<boolean> {
  try {
    const { stdout } = await new Deno.Command("curl", { args: ["--version"], stdout: "piped" }).output();
    return /\bHTTP2\b/.test(new TextDecoder().decode(stdout));
  } catch {
    return false;
  }
}

const usable = await hasHttp2();

Deno.test({
  name: `BP-14 curl uploads and downloads over HTTP/2${usable ? "" : " (skipped: no curl with HTTP/2)"}`,
  ignore: !usable,
  async fn() {
    const folder = await Deno.makeTempDir();
    const file = new Uint8Array(24 * MIB).map((_, i) => (i * 7 + (i >> 12)) & 255);
    await Deno.writeFile(`${folder}/file`, file);
    const digest = createHash("sha256").update(file).digest("hex");
    const server = net.createServer((socket) =>
      void serveHttp2(socket, new Uint8Array(0), async (request) => {
        if (request.method === "GET") return { status: 200, body: [file.subarray(0, 5 * MIB), file.subarray(5 * MIB)] };
        const body = await request.body.readAll(32 * MIB);
        return { status: 200, body: new TextEncoder().encode(createHash("sha256").update(body).digest("hex")) };
      })
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
    // A transfer each: curl of Debian 12 cannot reuse a connection with prior knowledge, whoever the server is.
    const curl = async (...more: string[]) => {
      const args = ["-sS", "--http2-prior-knowledge", "-m", "60", ...more];
      const { success, stdout, stderr } = await new Deno.Command("curl", { args, stdout: "piped", stderr: "piped" })
        .output();
      assert.ok(success, new TextDecoder().decode(stderr));
      return new TextDecoder().decode(stdout);
    };
    assert.equal(await curl("--data-binary", `@${folder}/file`, `${url}/upload`), digest);
    await Promise.all(["1", "2", "3"].map((name) => curl("-o", `${folder}/${name}`, `${url}/${name}`)));
    for (const name of ["1", "2", "3"]) {
      assert.equal(createHash("sha256").update(await Deno.readFile(`${folder}/${name}`)).digest("hex"), digest);
    }
    await Deno.remove(folder, { recursive: true });
    await new Promise((resolve) => server.close(resolve));
  },
});
