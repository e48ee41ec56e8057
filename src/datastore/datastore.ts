/** The facade of the datastore room: one open datastore. */
import { DozoError } from "../base/errors.ts";
import { checkName } from "../formats/names.ts";
import { removeAbandoned } from "./abandoned.ts";
import type { StorageBackend } from "./backend/contract.ts";
import { DirectoryBackend } from "./backend/directory.ts";
import type { FileOwner } from "./backend/file_owner.ts";
import { type BeginBackup, beginBackup } from "./backup_begin.ts";
import type { BackupWriter } from "./backup_writer.ts";
import { ChunkStore } from "./chunk_store.ts";
import type { StoreContext } from "./context.ts";
import { checkAdoptable, checkAtime, createStore, type Progress } from "./create_store.ts";
import { Groups } from "./groups.ts";
import { LockDirectory } from "./locks/lock_directory.ts";
import { lockProcessExclusive, type ProcessLockHold } from "./locks/process_lock.ts";
import { Namespaces } from "./namespaces.ts";
import { Snapshots } from "./snapshots.ts";
import type { SnapshotRef, SpaceStatus, SyncLevel } from "./types.ts";

export type { BackupWriter, BeginBackup, FileOwner, Progress };

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
  /** uid and gid that files get, for a process that may give files away; default: leave as created. */
  readonly owner?: FileOwner;
}

/** One open datastore. Several processes may have the same one open; all shared state is in files. */
export class Datastore {
  readonly name: string;
  readonly chunks: ChunkStore;
  readonly namespaces: Namespaces;
  readonly groups: Groups;
  readonly snapshots: Snapshots;
  readonly #store: StoreContext;

  private constructor(store: StoreContext) {
    this.#store = store;
    this.name = store.name;
    this.chunks = new ChunkStore(store.backend, store.syncLevel);
    this.namespaces = new Namespaces(store);
    this.groups = new Groups(store);
    this.snapshots = new Snapshots(store);
  }

  /** Opens an existing store. Throws when the path is not a datastore. Cheap: looks at two directory entries, holds nothing. */
  static async open(options: DatastoreOptions): Promise<Datastore> {
    const backend = backendOf(options);
    for (const [name, kind] of [[".chunks", "directory"], [".lock", "file"]] as const) {
      if ((await backend.stat(name))?.kind === kind) continue;
      throw new DozoError(
        `unable to open datastore '${options.name}' at "${options.path}" - ${name} is missing; ` +
          "is the path right and its file system mounted?",
      );
    }
    return Datastore.over(backend, { ...options, processLock: `${backend.base}/.lock` });
  }

  /**
   * Creates a new store in an empty or missing directory (`spec/datastore-layout.md` §3): 65536 chunk directories, then
   * the access-time check, which takes a second (leave it out with `atimeCheck: false`).
   */
  static async create(
    options: DatastoreOptions & { readonly atimeCheck?: boolean },
    progress?: Progress,
  ): Promise<Datastore> {
    const backend = backendOf(options);
    await createStore(backend.base, options.owner, progress);
    if (options.atimeCheck ?? true) await checkAtime(backend);
    return await Datastore.open(options);
  }

  /** Checks that a directory is a complete datastore of the right owner and modes and opens it (`--reuse-datastore`). */
  static async adopt(
    options: DatastoreOptions & { readonly atimeCheck?: boolean },
    progress?: Progress,
  ): Promise<Datastore> {
    const backend = backendOf(options);
    await checkAdoptable(backend.base, options.owner, progress);
    if (options.atimeCheck ?? true) await checkAtime(backend);
    return await Datastore.open(options);
  }

  /** A store on any back end; its locks stay on this host. `processLock` names an existing file (`spec/datastore-layout.md` §6.1). */
  static over(
    backend: StorageBackend,
    options: Omit<DatastoreOptions, "path"> & { readonly processLock: string },
  ): Datastore {
    return new Datastore({
      name: options.name,
      backend,
      locks: new LockDirectory(`${options.lockDirectory}/${options.name}`, options.owner),
      processLock: options.processLock,
      syncLevel: options.syncLevel ?? "filesystem",
    });
  }

  /** How much space there is. */
  space(): Promise<SpaceStatus> {
    return this.#store.backend.space();
  }

  /** Begins a backup (`spec/backup-protocol.md` §3, steps 7 and 9–14). Throws 404 for a missing namespace. */
  async beginBackup(begin: BeginBackup): Promise<BackupWriter> {
    await this.namespaces.check(begin.snapshot.ns);
    return await beginBackup(this.#store, begin);
  }

  /** Removes what killed sessions left behind (`abandoned.ts`). For the start of a server. */
  removeAbandoned(): Promise<SnapshotRef[]> {
    return removeAbandoned(this.#store);
  }

  /** Start time (epoch seconds) of the oldest backup that any process is writing now. For garbage collection. */
  oldestWriter(): Promise<number | undefined> {
    return this.#store.locks.oldestWriter();
  }

  /** Excludes writers of other processes, PBS included (`spec/datastore-layout.md` §6.1). Throws when there are some. */
  lockExclusive(): ProcessLockHold {
    return lockProcessExclusive(this.#store.processLock);
  }

  /** Forces everything written so far to stable storage. */
  flush(): Promise<void> {
    return this.#store.backend.flush();
  }

  /** Gives up what the store holds open in this process. */
  close(): void {
    this.#store.backend.close();
  }
}

function trimmed(path: string): string {
  return path.replace(/(?<=.)\/+$/, "");
}

function backendOf(options: DatastoreOptions): DirectoryBackend {
  checkName("datastore", options.name);
  if (!options.path.startsWith("/")) throw new DozoError(`datastore path "${options.path}" is not absolute`);
  return new DirectoryBackend(trimmed(options.path), `${options.lockDirectory}/${options.name}`, options.owner);
}
