/** What the task log says of a finished index: uploads, duplicates, compression. */
import { toHex } from "../../base/bytes.ts";
import type { FinishedIndex } from "../../formats/index_source.ts";
import type { SessionLog } from "../session/types.ts";
import type { DynamicSessionWriter, FixedSessionWriter } from "./index_writers.ts";

/** Writes the statistics of a closed writer to the log. Sizes in bytes. */
export function logIndex(
  log: SessionLog,
  writer: FixedSessionWriter | DynamicSessionWriter,
  index: FinishedIndex,
): void {
  const { stats } = writer;
  const clientDuplicates = Math.max(0, index.count - stats.count);
  log.line(`Upload statistics for '${writer.name}'`);
  log.line(`UUID: ${toHex(writer.uuid)}`);
  log.line(`Checksum: ${toHex(index.csum)}`);
  log.line(`Size: ${index.size}`);
  log.line(`Chunk count: ${index.count}`);
  log.line(`Upload size: ${stats.size} (${percent(stats.size, index.size)}%)`);
  if (clientDuplicates + stats.duplicates > 0) {
    const share = percent(clientDuplicates + stats.duplicates, index.count);
    log.line(`Duplicates: ${clientDuplicates}+${stats.duplicates} (${share}%)`);
  }
  if (stats.size > 0) log.line(`Compression: ${percent(stats.compressedSize, stats.size)}%`);
}

function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor(part * 100 / whole);
}
