/** Files of the previous snapshot (`spec/backup-protocol.md` §7.10): sending an index registers its chunks. */
import { DozoError, errorMessage } from "../../base/errors.ts";
import type { BackupWriter } from "../../datastore/backup_writer.ts";
import { archiveKind, isStoredName } from "../../formats/archive_name.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";
import { openIndex, registerChunks } from "../session/index_file.ts";
import type { SessionState } from "./session_state.ts";

/** Bytes of a file of the previous snapshot. Throws 400 without one, for another extension or a bad index; 404 for a missing blob. */
export async function readPrevious(
  state: SessionState,
  writer: BackupWriter,
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (!writer.previous) throw new DozoError("no valid previous backup");
  if (!isStoredName(name)) throw new DozoError(`unknown archive type: "${name}"`);
  const kind = archiveKind(name);
  const bytes = await readFile(writer, name);
  if (kind === "blob") {
    if (bytes) return bytes;
    throw new DozoError(`open file "${writer.describePrevious(name)}" failed - not found`, { status: 404 });
  }
  const index = openIndex(kind, bytes, writer.describePrevious(name));
  await registerChunks(state.known, index);
  return bytes as Uint8Array<ArrayBuffer>;
}

/** The fixed index of that name in the previous snapshot; undefined when it is missing or unreadable. */
export async function openPreviousFixed(writer: BackupWriter, name: string): Promise<FixedIndex | undefined> {
  const bytes = await readFile(writer, name);
  if (!bytes) return undefined;
  try {
    return new FixedIndex(bytes);
  } catch (error) {
    throw new DozoError(`unable to open fixed index "${writer.describePrevious(name)}" - ${errorMessage(error)}`);
  }
}

async function readFile(writer: BackupWriter, name: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const file = await writer.openPrevious(name);
  if (!file) return undefined;
  try {
    return await file.readAll();
  } finally {
    file.close();
  }
}
