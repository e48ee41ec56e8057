/** Which files another thread may create, and what its error numbers mean. */
import { concatBytes } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import type { Metadata } from "../formats/pxar/mod.ts";
import { FsError } from "../native/fs.ts";
import type { Features } from "./features.ts";
import { JobStep } from "./file_worker.ts";
import { quotePath } from "./path.ts";

/** True when owner, permissions and mtime are all that there is to restore of a regular file. */
export function isPlain(metadata: Metadata, features: Features): boolean {
  return !metadata.xattrs && !metadata.acl && !metadata.fcaps && !metadata.projectId &&
    (metadata.flags & (features.inodeFlags | features.fatFlags)) === 0 &&
    metadata.mode <= 0xffffffff && metadata.mtimeNsec < 1_000_000_000;
}

/** `/a/b` and `c` make `/a/b/c`. */
export function joined(directory: Uint8Array, name: Uint8Array): Uint8Array {
  return concatBytes(directory, new Uint8Array(directory.length > 1 ? [0x2f] : []), name);
}

const STEPS = new Map<number, [tried: string, action: string]>([
  [JobStep.Create, ["create the file", "open"]],
  [JobStep.Write, ["write the file", "write"]],
  [JobStep.Owner, ["restore the owner", "set the owner of"]],
  [JobStep.Permissions, ["restore the permissions", "set the permissions of"]],
  [JobStep.Mtime, ["restore the mtime", "set the times of"]],
  [JobStep.Close, ["complete the file", "close"]],
]);

/** The error of a step that failed for the file `name`. */
export function stepError(step: number, errno: number, name: Uint8Array): DozoError {
  const [tried, action] = STEPS.get(step) ?? ["create the file", "work on"];
  const cause = new FsError(action, quotePath(name).slice(1, -1), errno);
  return new DozoError(`cannot ${tried}: ${cause.message}`, { cause });
}
