/** Certificates a person has accepted: lines `server fingerprint` in `~/.config/proxmox-backup/fingerprints` (row CL-172). */
import { replaceFile } from "./secret_file.ts";
import { configPath, readStateFile } from "./state_files.ts";

/** The accepted fingerprint of `server` (colon-separated lower-case hex), if any. */
export function loadFingerprint(server: string): string | undefined {
  const path = configPath("fingerprints");
  if (!path) return undefined;
  for (const line of readStateFile(path).split("\n")) {
    const [name, fingerprint] = line.trim().split(/\s+/);
    if (name === server && fingerprint) return fingerprint.toLowerCase();
  }
  return undefined;
}

/** Remembers `fingerprint` for `server` in place of an older one. */
export function storeFingerprint(server: string, fingerprint: string): void {
  const path = configPath("fingerprints");
  if (!path) return;
  const others = readStateFile(path).split("\n").filter((line) => line && line.trim().split(/\s+/)[0] !== server);
  replaceFile(path, [...others, `${server} ${fingerprint.toLowerCase()}`].join("\n") + "\n");
}
