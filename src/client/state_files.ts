/**
 * The client's own small files: tickets, trusted fingerprints and the repository counter, at the places
 * where `proxmox-backup-client` keeps them.
 */
import { DozoError, errorMessage } from "../base/errors.ts";

/** `$XDG_CONFIG_HOME` or `~/.config`, then `proxmox-backup/<name>`; undefined without a home. */
export function configPath(name: string): string | undefined {
  return below(Deno.env.get("XDG_CONFIG_HOME") || inHome(".config"), name);
}

/** `$XDG_CACHE_HOME` or `~/.cache`, then `proxmox-backup/<name>`; undefined without a home. */
export function cachePath(name: string): string | undefined {
  return below(Deno.env.get("XDG_CACHE_HOME") || inHome(".cache"), name);
}

/** `$XDG_RUNTIME_DIR/proxmox-backup/<name>`; undefined without that variable. */
export function runtimePath(name: string): string | undefined {
  return below(Deno.env.get("XDG_RUNTIME_DIR"), name);
}

/** The whole text, or "" where the file is missing. */
export function readStateFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

function inHome(name: string): string | undefined {
  const home = Deno.env.get("HOME");
  return home ? `${home}/${name}` : undefined;
}

function below(base: string | undefined, name: string): string | undefined {
  return base ? `${base}/proxmox-backup/${name}` : undefined;
}
