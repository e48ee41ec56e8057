/** Counts how often repositories were used, for shell completion (row CL-11). */
import { replaceFile } from "./secret_file.ts";
import { cachePath, readStateFile } from "./state_files.ts";

const KEPT = 10;

/** The known repositories, most used first. */
export function knownRepositories(): string[] {
  const path = cachePath("repo-list");
  if (!path) return [];
  return Object.entries(readCounts(path)).sort(([, a], [, b]) => b - a).map(([name]) => name);
}

/** Adds one use of `repository`; only the ten most used are kept. Failure to write never disturbs a backup. */
export function countRepository(repository: string): void {
  const path = cachePath("repo-list");
  if (!path) return;
  try {
    const counts = readCounts(path);
    counts[repository] = (counts[repository] ?? 0) + 1;
    const kept = Object.entries(counts).sort(([, a], [, b]) => b - a).slice(0, KEPT);
    if (!kept.some(([name]) => name === repository)) kept[KEPT - 1] = [repository, counts[repository]];
    replaceFile(path, JSON.stringify(Object.fromEntries(kept)));
  } catch { /* a full or read-only home directory must not fail the command */ }
}

function readCounts(path: string): Record<string, number> {
  try {
    const parsed: unknown = JSON.parse(readStateFile(path));
    if (typeof parsed !== "object" || parsed === null) return {};
    return Object.fromEntries(Object.entries(parsed).filter(([, count]) => typeof count === "number"));
  } catch {
    return {};
  }
}
