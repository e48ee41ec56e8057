/** What to back up: `name.type:path` words of the command line (rows CL-40, CL-45). */
import { DozoError } from "../../base/errors.ts";

/** How a source becomes an archive. */
export type ArchiveType = "pxar" | "img" | "conf" | "log";

/** One parsed word. `target` is the archive's name for people (`root.pxar`), `path` the source on this machine. */
export interface BackupSpec {
  readonly name: string;
  readonly type: ArchiveType;
  readonly target: string;
  readonly path: string;
}

const SPEC = /^([a-zA-Z0-9_-]+)\.(pxar|img|conf|log):([\s\S]+)$/;

/** The form of a backup specification, for checks before anything is connected. */
export const BACKUP_SPEC_PATTERN = /^([a-zA-Z0-9_-]+\.(pxar|img|conf|log)):(.+)$/;

/** Parses all words. Throws {@link DozoError} for a malformed one and for a target given twice. */
export function parseBackupSpecs(words: readonly string[]): BackupSpec[] {
  const seen = new Set<string>();
  return words.map((word) => {
    const match = SPEC.exec(word);
    if (!match) {
      throw new DozoError(
        `unable to parse backup source specification '${word}': expected NAME.(pxar|img|conf|log):PATH`,
      );
    }
    const [, name, type, path] = match;
    const target = `${name}.${type}`;
    if (seen.has(target)) throw new DozoError(`got target twice: '${target}'`);
    seen.add(target);
    return { name, type: type as ArchiveType, target, path };
  });
}

/** Checks that every source exists and is of a kind that its archive type takes. Throws {@link DozoError}. */
export function checkSources(specs: readonly BackupSpec[]): void {
  for (const spec of specs) checkSource(spec);
}

function checkSource({ type, path, target }: BackupSpec): void {
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(path);
  } catch (error) {
    throw new DozoError(`unable to access '${path}' for ${target} - ${(error as Error).message}`, { cause: error });
  }
  switch (type) {
    case "pxar":
      if (!info.isDirectory) throw new DozoError(`got unexpected file type for '${path}' (expected directory)`);
      break;
    case "img":
      if (!info.isFile && !info.isBlockDevice) {
        throw new DozoError(`got unexpected file type for '${path}' (expected file or block device)`);
      }
      break;
    default:
      if (!info.isFile) throw new DozoError(`got unexpected file type for '${path}' (expected regular file)`);
  }
}
