/**
 * The steps that no backup program can leave out, each measured alone on the benchmark's own data: read, SHA-256, zstd
 * level 1, TLS over the loopback interface, write. One step at a time, so that their sum is what one core needs.
 */
import { sha256 } from "../../src/native/crypto.ts";
import { zstdCompressInto } from "../../src/native/zstd.ts";

const BLOCK = 4 * 2 ** 20;

/** Seconds of each step for the whole of the data. */
export interface Steps {
  readonly read: number;
  readonly sha256: number;
  readonly zstd: number;
  readonly tls: number;
  readonly write: number;
}

/** Measures all steps for the files in `paths`; `folder` takes what is written. */
export async function measureSteps(paths: readonly string[], folder: string): Promise<Steps> {
  const steps = { read: 0, sha256: 0, zstd: 0, tls: 0, write: 0 };
  const block = new Uint8Array(BLOCK);
  const packed = new Uint8Array(BLOCK);
  await using sink = await TlsSink.start();
  using output = await Deno.open(`${folder}/written`, { write: true, create: true, truncate: true });
  const add = async (step: keyof Steps, work: () => unknown) => {
    const started = performance.now();
    await work();
    steps[step] += (performance.now() - started) / 1000;
  };
  const useBlock = async (data: Uint8Array<ArrayBuffer>) => {
    await add("sha256", () => sha256(data));
    let size: number | null = null;
    await add("zstd", async () => size = await zstdCompressInto(data, packed));
    const stored = size === null ? data : packed.subarray(0, size);
    await add("tls", () => sink.send(stored));
    await add("write", () => output.writeSync(stored));
  };
  let filled = 0;
  for (const path of paths) {
    using file = await Deno.open(path);
    while (true) {
      let count: number | null = null;
      await add("read", () => count = file.readSync(block.subarray(filled)));
      if (count === null) break;
      filled += count;
      if (filled < BLOCK) continue;
      await useBlock(block);
      filled = 0;
    }
  }
  if (filled > 0) await useBlock(block.subarray(0, filled));
  await add("write", () => output.syncSync());
  await add("tls", () => sink.end());
  return steps;
}

/** A process that reads a TLS connection and throws the bytes away, and the connection to it. */
class TlsSink implements AsyncDisposable {
  private constructor(
    readonly child: Deno.ChildProcess,
    readonly connection: Deno.TlsConn,
    readonly folder: string,
  ) {}

  static async start(): Promise<TlsSink> {
    const folder = await Deno.makeTempDir({ prefix: "dozo-bench-tls-" });
    const made = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
        ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        ...["-addext", "basicConstraints=critical,CA:FALSE", "-keyout", `${folder}/key`, "-out", `${folder}/cert`],
      ],
      stderr: "null",
    }).output();
    if (!made.success) throw new Error("openssl cannot make a certificate");
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./tls_sink.ts", import.meta.url).pathname, folder],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const port = Number(new TextDecoder().decode((await reader.read()).value));
    reader.releaseLock();
    const connection = await Deno.connectTls({
      hostname: "localhost",
      port,
      caCerts: [await Deno.readTextFile(`${folder}/cert`)],
    });
    return new TlsSink(child, connection, folder);
  }

  async send(data: Uint8Array): Promise<void> {
    for (let at = 0; at < data.length;) at += await this.connection.write(data.subarray(at));
  }

  /** Resolves when the other side has read everything. */
  async end(): Promise<void> {
    await this.connection.closeWrite();
    await this.connection.read(new Uint8Array(1));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.connection.close();
    await this.child.stdout.cancel();
    await this.child.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}
