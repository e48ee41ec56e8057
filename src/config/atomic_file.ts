/** Replacing small files so that a reader sees the old or the new content, never a part, and a power cut loses neither. */
import { dirname, join } from "node:path";
import { randomBytes } from "node:crypto";
import { DozoError, errorMessage } from "../base/errors.ts";

/** Owner to give to a file, applied only by a privileged process. */
export interface FileOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Replaces `path` with `content`: written aside, forced to disk, renamed. `mode` are permission bits. Throws {@link DozoError}. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  owner?: FileOwner,
): Promise<void> {
  const aside = join(dirname(path), `.tmp_${randomBytes(8).toString("hex")}`);
  try {
    using file = await Deno.open(aside, { write: true, createNew: true, mode: 0o600 });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    await Deno.chmod(aside, mode);
    if (owner && Deno.uid() === 0) await Deno.chown(aside, owner.uid, owner.gid);
    await file.sync();
    await Deno.rename(aside, path);
  } catch (error) {
    await Deno.remove(aside).catch(() => {});
    throw new DozoError(`unable to write '${path}': ${errorMessage(error)}`, { cause: error });
  }
  using directory = await Deno.open(dirname(path));
  await directory.sync();
}
