/** The part of a manifest that listings need, remembered per process so that a second listing reads no manifest. */
import { formatFingerprint } from "../formats/crypt_key.ts";
import { MANIFEST_NAME } from "../formats/archive_name.ts";
import { Manifest } from "../formats/manifest.ts";
import type { StorageBackend } from "./backend/contract.ts";
import type { SnapshotFile, VerifyState } from "./types.ts";

/** What a listing shows of a manifest. */
export interface ManifestSummary {
  /** The files it names, then the manifest itself. */
  readonly files: readonly SnapshotFile[];
  readonly comment?: string;
  readonly verification?: VerifyState;
  readonly fingerprint?: string;
}

/** Largest encoded manifest that is read. */
export const MAX_MANIFEST_BYTES = 16 * 1024 * 1024 + 44;
const MAX_REMEMBERED = 20_000;

/** Summaries by full path, the least recently used first; shared by all stores of the process. */
const remembered = new Map<string, { version: string; summary: ManifestSummary }>();

/** Summary of the manifest in directory `path`; undefined when it is missing or cannot be read. */
export async function manifestSummary(backend: StorageBackend, path: string): Promise<ManifestSummary | undefined> {
  const file = `${path}/${MANIFEST_NAME}`;
  const key = backend.describe(file);
  const stat = await backend.stat(file);
  if (stat?.kind !== "file") return undefined;
  const known = remembered.get(key);
  remembered.delete(key);
  if (known?.version === stat.version) {
    remembered.set(key, known);
    return known.summary;
  }
  let summary: ManifestSummary;
  try {
    const blob = await backend.readEntry(file, MAX_MANIFEST_BYTES);
    if (!blob) return undefined;
    summary = summarize(await Manifest.decode(blob), blob.length);
  } catch {
    // A damaged manifest costs its snapshot the details, never the listing.
    return undefined;
  }
  if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value as string);
  remembered.set(key, { version: stat.version, summary });
  return summary;
}

/** Summary of a decoded manifest whose encoded form has `encodedSize` bytes. */
export function summarize(manifest: Manifest, encodedSize: number): ManifestSummary {
  const files: SnapshotFile[] = manifest.files.map((file) => ({
    filename: file.filename,
    cryptMode: file["crypt-mode"],
    size: file.size,
  }));
  const cryptMode = manifest.signature === null ? "none" : "sign-only";
  files.push({ filename: MANIFEST_NAME, cryptMode, size: encodedSize });
  return {
    files,
    comment: firstLine(manifest.notes),
    verification: manifest.verifyState,
    fingerprint: fingerprintOf(manifest),
  };
}

/** First line of a text; undefined when that is empty. */
export function firstLine(text: string | undefined): string | undefined {
  return text?.split("\n", 1)[0] || undefined;
}

function fingerprintOf(manifest: Manifest): string | undefined {
  try {
    return manifest.fingerprint && formatFingerprint(manifest.fingerprint);
  } catch {
    return undefined;
  }
}
