/** The lines that tell how an archive's upload went, in the established wording. */
import type { IndexSummary } from "../../protocol/backup_client/index_writer.ts";
import type { CreateStats } from "../../archive/create_types.ts";
import { archiveName } from "../../formats/archive_name.ts";
import { humanSize } from "../../formats/human_size.ts";

/** Chunks that were spliced in. */
export interface InjectedBytes {
  readonly chunks: number;
  readonly bytes: number;
}

/** Archives of a few chunks at most are not worth a line on how much of them was known. */
const WORTH_A_LINE = 1024 * 1024;

/** Lines for one finished archive. `injected`: what was taken over from the previous snapshot without reading. */
export function archiveReport(
  storedName: string,
  summary: IndexSummary,
  seconds: number,
  injected: InjectedBytes,
): string[] {
  const name = archiveName(storedName);
  const { size, uploadedSize, uploadedEncodedSize, reusedSize } = summary;
  if (name === "catalog.pcat1") return [`Uploaded backup catalog (${humanSize(size)})`];
  const lines: string[] = [];
  if (injected.chunks > 0) {
    const amount = `${
      humanSize(injected.bytes)
    } from previous snapshot for unchanged files (${injected.chunks} chunks)`;
    lines.push(`${name}: reused ${amount}`);
  }
  const average = humanSize(Math.round(uploadedSize / Math.max(seconds, 0.001)));
  lines.push(
    `${name}: had to backup ${humanSize(uploadedSize)} of ${humanSize(size)} ` +
      `(compressed ${humanSize(uploadedEncodedSize)}) in ${seconds.toFixed(2)} s (average ${average}/s)`,
  );
  if (reusedSize > 0 && size > WORTH_A_LINE) {
    const percent = (reusedSize * 100 / size).toFixed(1);
    lines.push(`${name}: backup was done incrementally, reused ${humanSize(reusedSize)} (${percent}%)`);
  }
  return lines;
}

/** Lines on what change detection found. */
export function changeReport(stats: CreateStats): string[] {
  const { files, hardlinks, reusedFiles, reusedSize, encodedFiles, encodedSize, padding, partialChunks } = stats;
  return [
    "Change detection summary:",
    ` - ${files} total files (${hardlinks} hardlinks)`,
    ` - ${reusedFiles} unchanged, reusable files with ${humanSize(reusedSize)} data`,
    ` - ${encodedFiles} changed or non-reusable files with ${humanSize(encodedSize)} data`,
    ` - ${humanSize(padding)} padding in ${partialChunks} partially reused chunks`,
  ];
}
