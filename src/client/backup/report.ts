/** The lines that tell how an archive's upload went, in the established wording. */
import type { IndexSummary } from "../../protocol/backup_client/index_writer.ts";
import { archiveName } from "../../formats/archive_name.ts";
import { humanSize } from "../../formats/human_size.ts";

/** Lines for one finished archive. `injected`: bytes taken over from the previous snapshot without reading. */
export function archiveReport(storedName: string, summary: IndexSummary, seconds: number, injected: number): string[] {
  const name = archiveName(storedName);
  const { size, uploadedSize, uploadedEncodedSize, reusedSize } = summary;
  if (name === "catalog.pcat1") return [`Uploaded backup catalog (${humanSize(size)})`];
  const lines: string[] = [];
  if (injected > 0) {
    lines.push(`${name}: reused ${humanSize(injected)} from previous snapshot for unchanged files`);
  }
  const average = humanSize(Math.round(uploadedSize / Math.max(seconds, 0.001)));
  lines.push(
    `${name}: had to backup ${humanSize(uploadedSize)} of ${humanSize(size)} ` +
      `(compressed ${humanSize(uploadedEncodedSize)}) in ${seconds.toFixed(2)} s (average ${average}/s)`,
  );
  if (reusedSize > 0) {
    const percent = (reusedSize * 100 / size).toFixed(1);
    lines.push(`${name}: backup was done incrementally, reused ${humanSize(reusedSize)} (${percent}%)`);
  }
  return lines;
}
