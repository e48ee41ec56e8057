/** Speeds of what a backup consists of: upload over TLS, hashing, compression, verification, encryption (row CL-186). */
import { randomFillSync } from "node:crypto";
import { decodeBlob, encodeBlob } from "../formats/blob.ts";
import { chunkDigest, type CryptKey } from "../formats/crypt_key.ts";
import { aesGcmEncrypt, randomBytes, sha256 } from "../native/crypto.ts";
import { zstdCompressInto, zstdDecompress } from "../native/zstd.ts";
import { openBackupSession } from "../protocol/backup_client/backup_session.ts";
import type { Server } from "./server.ts";

/** What can be measured, and what a Ryzen 7 2700X reaches, in bytes per second. */
export const TOP_SPEEDS = {
  tls: 1_235_000_000,
  sha256: 2_022_000_000,
  compress: 752_000_000,
  decompress: 1_198_000_000,
  verify: 758_000_000,
  aes256_gcm: 3_645_000_000,
} as const;
/** One of them. */
export type Speed = keyof typeof TOP_SPEEDS;

const BLOCK = 1024 * 1024;
const UPLOAD_BLOCK = 4 * BLOCK;
const UPLOADS = 32;

/** Bytes per second that `step` handles, measured for `seconds`. `step` returns the bytes of one round. */
async function measure(seconds: number, step: () => Promise<number>): Promise<number> {
  const start = performance.now();
  let bytes = 0;
  while (performance.now() - start < seconds * 1000) bytes += await step();
  return bytes / ((performance.now() - start) / 1000);
}

/** Measures all that needs no server, each for `seconds`. */
export async function measureLocal(seconds: number, key: CryptKey): Promise<Record<Exclude<Speed, "tls">, number>> {
  const text = testText();
  const compressed = new Uint8Array(BLOCK);
  const length = await zstdCompressInto(text, compressed) ?? BLOCK;
  const blob = await encodeBlob(text);
  const digest = await chunkDigest(text);
  const iv = randomBytes(16);
  return {
    sha256: await measure(seconds, async () => (await sha256(text), BLOCK)),
    compress: await measure(seconds, async () => (await zstdCompressInto(text, new Uint8Array(BLOCK)), BLOCK)),
    decompress: await measure(
      seconds,
      async () => (await zstdDecompress(compressed.subarray(0, length), BLOCK)).length,
    ),
    verify: await measure(seconds, async () => (await decodeBlob(blob, { digest })).length),
    aes256_gcm: await measure(seconds, async () => (await aesGcmEncrypt(key.encKey, iv, text), BLOCK)),
  };
}

/** Uploads to a session that keeps nothing, for `seconds`. */
export async function measureUpload(
  server: Server,
  options: { seconds: number; noCache?: boolean; log: (line: string) => void; signal?: AbortSignal },
): Promise<number> {
  const target = {
    store: server.repository.datastore,
    backupType: "host",
    backupId: "benchmark",
    backupTime: Math.floor(Date.now() / 1000),
  } as const;
  const { noCache, signal } = options;
  const session = await openBackupSession(await server.address(), target, { benchmark: true, noCache, signal });
  try {
    const body = randomFillSync(new Uint8Array(UPLOAD_BLOCK));
    const start = performance.now();
    let count = 0;
    const elapsed = () => (performance.now() - start) / 1000;
    const upload = async () => {
      while (elapsed() < options.seconds) {
        await session.speedtest(body);
        count++;
      }
    };
    await Promise.all(Array.from({ length: UPLOADS }, upload));
    const seconds = elapsed();
    options.log(`Uploaded ${count} chunks in ${Math.round(seconds)} seconds.`);
    options.log(`Time per request: ${Math.round(seconds * 1e6 / Math.max(1, count))} microseconds.`);
    return count * UPLOAD_BLOCK / seconds;
  } finally {
    session.abort();
  }
}

/** Data that compresses somewhat, as files do. */
function testText(): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(BLOCK);
  randomFillSync(data);
  for (let i = 0; i < BLOCK; i++) if (i % 3 !== 0) data[i] = 0x20 + (i >> 4) % 64;
  return data;
}
