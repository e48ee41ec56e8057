/** `benchmark` (row CL-186). */
import { z } from "zod";
import { bool, text } from "../../config/schema/mod.ts";
import { measureLocal, measureUpload, type Speed, TOP_SPEEDS } from "../../client/benchmark.ts";
import { generateKey } from "../../formats/key_file.ts";
import { command } from "../framework/command.ts";
import { log, printOut } from "../framework/print.ts";
import { withInterrupt } from "../interrupt.ts";
import { chosenFormat, formatJson, outputFormat } from "../output/format.ts";
import { formatObject, tableStyle } from "../output/table.ts";
import { connect, hasRepository, repositoryParams } from "./common.ts";
import { openEncryption } from "./encryption.ts";

const TITLES: readonly (readonly [Speed, string])[] = [
  ["tls", "TLS (maximal backup upload speed)"],
  ["sha256", "SHA256 checksum computation speed"],
  ["compress", "ZStd level 1 compression speed"],
  ["decompress", "ZStd level 1 decompression speed"],
  ["verify", "Chunk verification speed"],
  ["aes256_gcm", "AES256 GCM encryption speed"],
];
const SHORT: Readonly<Record<Speed, string>> = {
  tls: "TLS",
  sha256: "SHA256",
  compress: "Compression",
  decompress: "Decompress",
  verify: "Verify",
  aes256_gcm: "AES256/GCM",
};
const UPLOAD_SECONDS = 5;
const LOCAL_SECONDS = 1;

/** `benchmark`. */
export const benchmark = command({
  path: "benchmark",
  summary: "Run benchmark tests",
  params: z.object({
    ...repositoryParams,
    keyfile: text().optional(),
    "no-cache": bool().default(false),
    "output-format": outputFormat(),
  }),
  async run(params) {
    const { key } = params.keyfile === undefined ? {} : await openEncryption({ keyfile: params.keyfile });
    const speeds: Partial<Record<Speed, number>> = {};
    const report = (name: Speed) =>
      log("info", `${SHORT[name]} speed: ${((speeds[name] as number) / 1e6).toFixed(2)} MB/s`);
    if (hasRepository(params)) {
      const server = await connect(params);
      speeds.tls = await withInterrupt((signal) =>
        measureUpload(server, {
          seconds: UPLOAD_SECONDS,
          noCache: params["no-cache"],
          log: (line) => log("info", line),
          signal,
        })
      );
      server.close();
      report("tls");
    }
    const local = await measureLocal(LOCAL_SECONDS, key?.key ?? generateKey());
    Object.assign(speeds, local);
    (Object.keys(local) as Speed[]).forEach(report);
    print(params["output-format"], speeds);
  },
});

function print(option: Parameters<typeof chosenFormat>[0], speeds: Partial<Record<Speed, number>>): void {
  const format = chosenFormat(option);
  if (format === undefined) return;
  if (format !== "text") {
    const data = TITLES.map(([name]) => [name, { speed: speeds[name], top: TOP_SPEEDS[name] }] as const);
    printOut(formatJson(Object.fromEntries(data), format === "json-pretty"));
    return;
  }
  const rows = TITLES.map(([name, title]) => [title, renderSpeed(speeds[name], TOP_SPEEDS[name]), false] as const);
  printOut(formatObject(rows, tableStyle()));
}

function renderSpeed(speed: number | undefined, top: number): string {
  if (speed === undefined) return "not tested";
  return `${(speed / 1e6).toFixed(2)} MB/s (${Math.round(speed * 100 / top)}%)`;
}
