/** An open snapshot: its files, under a shared lock. */
import { DozoError } from "../base/errors.ts";
import type { SnapshotRef, StoredFile } from "./types.ts";

/** Read access to one snapshot. Holds the shared snapshot lock until {@link close}. */
export class SnapshotReader {
  constructor(readonly snapshot: SnapshotRef) {}

  /** Opens a file of the snapshot; undefined when it is missing. The name must be a safe id. */
  openFile(_name: string): Promise<StoredFile | undefined> {
    throw new DozoError("not available yet");
  }

  /** Whole content of a small file (`limit` in bytes, default 16 MiB + header); undefined when missing. */
  readFile(_name: string, _limit?: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    throw new DozoError("not available yet");
  }

  /** Gives the lock back. May be called twice. */
  close(): void {
    throw new DozoError("not available yet");
  }
}
