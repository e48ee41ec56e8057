/** Which files a snapshot directory holds. */
import { isStoredName } from "../formats/archive_name.ts";
import type { StorageBackend } from "./backend/contract.ts";
import { PROTECTED_NAME } from "./context.ts";
import type { ManifestSummary } from "./manifest_summary.ts";
import type { SnapshotFile } from "./types.ts";

/** What lies in a snapshot directory. */
export interface DirectoryContent {
  /** Names of archives, blobs and the manifest; temporary and foreign ones are left out. */
  readonly names: readonly string[];
  readonly protected: boolean;
}

/** Reads a snapshot directory; a missing one is empty. */
export async function contentOf(backend: StorageBackend, path: string): Promise<DirectoryContent> {
  const files = (await backend.list(path) ?? []).filter(({ kind }) => kind === "file").map(({ name }) => name);
  return { names: files.filter(isStoredName), protected: files.includes(PROTECTED_NAME) };
}

/** Names of the files of a snapshot. */
export async function filesOf(backend: StorageBackend, path: string): Promise<readonly string[]> {
  return (await contentOf(backend, path)).names;
}

/** Files as the API lists them: those of the manifest, the manifest itself, then what else lies there. */
export function listedFiles(names: readonly string[], summary: ManifestSummary | undefined): SnapshotFile[] {
  const listed: SnapshotFile[] = summary ? [...summary.files] : [];
  const known = new Set(listed.map(({ filename }) => filename));
  for (const filename of names) if (!known.has(filename)) listed.push({ filename });
  return listed;
}
