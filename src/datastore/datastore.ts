/** The facade of the datastore room: one open datastore. */
import { DozoError } from "../base/errors.ts";
import type { BackupWriter, BeginBackup } from "./backup_writer.ts";
import type { ChunkStore } from "./chunk_store.ts";
import type { Groups } from "./groups.ts";
import type { Namespaces } from "./namespaces.ts";
import type { Snapshots } from "./snapshots.ts";
import type { SpaceStatus, SyncLevel } from "./types.ts";

/** Where a datastore lives and how it behaves. Paths are given by the caller: this room knows no `/run` or `/etc`. */
export interface DatastoreOptions {
  /** Name of the store: 3–32 characters, a safe id. */
  readonly name: string;
  /** Absolute path of the base directory. */
  readonly path: string;
  /** Directory of all lock files (`<runtime>/locks`); this store's are in `<lockDirectory>/<name>/` (`spec/datastore-layout.md` §6.2). */
  readonly lockDirectory: string;
  /** Default `filesystem`. */
  readonly syncLevel?: SyncLevel;
  /** uid and gid that files get when the process is root; default: leave as created. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Receives progress of a long operation: a fraction from 0 to 1. */
export type Progress = (fraction: number) => void;

/** One open datastore. Several processes may have the same one open; all shared state is in files. */
export class Datastore {
  readonly name: string;
  readonly chunks!: ChunkStore;
  readonly namespaces!: Namespaces;
  readonly groups!: Groups;
  readonly snapshots!: Snapshots;

  private constructor(options: DatastoreOptions) {
    this.name = options.name;
  }

  /** Opens an existing store. Throws when the path is not a datastore. Cheap: reads two directory entries. */
  static open(_options: DatastoreOptions): Promise<Datastore> {
    throw new DozoError("not available yet");
  }

  /** Creates a new store in an empty or missing directory (`spec/datastore-layout.md` §3): 65536 chunk directories, about 1 s. */
  static create(_options: DatastoreOptions, _progress?: Progress): Promise<Datastore> {
    throw new DozoError("not available yet");
  }

  /** Checks that a directory is a complete datastore of the right owner and opens it (`--reuse-datastore`). */
  static adopt(_options: DatastoreOptions, _progress?: Progress): Promise<Datastore> {
    throw new DozoError("not available yet");
  }

  /** Total, used and available bytes. */
  space(): Promise<SpaceStatus> {
    throw new DozoError("not available yet");
  }

  /** Begins a backup: group and snapshot directories, owner check, previous snapshot, locks (`spec/backup-protocol.md` §3, steps 7–14). */
  beginBackup(_begin: BeginBackup): Promise<BackupWriter> {
    throw new DozoError("not available yet");
  }

  /** Removes snapshot directories that killed sessions left behind; returns how many. For the start of a server. */
  removeAbandoned(): Promise<number> {
    throw new DozoError("not available yet");
  }

  /** Gives up what the store holds open in this process. */
  close(): void {}
}
