/** Snapshots of one datastore: listing, notes, protection, verification state, removal, the client log. */
import { Semaphore } from "../base/concurrency.ts";
import { DozoError } from "../base/errors.ts";
import { CLIENT_LOG_NAME, MANIFEST_NAME } from "../formats/archive_name.ts";
import { formatSnapshot } from "../formats/backup_path.ts";
import { MAX_ENCODED_CHUNK_SIZE, verifyBlobCrc } from "../formats/blob.ts";
import type { Manifest } from "../formats/manifest.ts";
import { pathOfSnapshot, PROTECTED_NAME, type StoreContext } from "./context.ts";
import { ownerIfAny } from "./group_owner.ts";
import { manifestSummary, summarize } from "./manifest_summary.ts";
import { loadManifest, updateManifest } from "./manifests.ts";
import { forgetSnapshot, isProtected } from "./removal.ts";
import { contentOf, listedFiles } from "./snapshot_files.ts";
import { SnapshotReader } from "./snapshot_reader.ts";
import { directoryExists, groupsOf, isFinished, timesOf } from "./tree.ts";
import type { GroupRef, SnapshotFile, SnapshotInfo, SnapshotRef, VerifyState } from "./types.ts";

const PARALLEL_READS = 8;

/** Operations on snapshots; permission checks are the caller's. */
export class Snapshots {
  readonly #store: StoreContext;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /**
   * Snapshots of a namespace, optionally of one type and one id: groups sorted, oldest snapshot first. Unfinished and
   * damaged ones are listed too, without `size`. `accept` leaves out groups before anything of them but the owner is read.
   */
  async list(
    ns: string,
    filter: { type?: string; id?: string; accept?: (group: GroupRef, owner: string | undefined) => boolean } = {},
  ): Promise<SnapshotInfo[]> {
    const turns = new Semaphore(PARALLEL_READS);
    const groups = (await groupsOf(this.#store.backend, ns, filter.type))
      .filter(({ id }) => filter.id === undefined || filter.id === id);
    const perGroup = await Promise.all(groups.map((group) =>
      turns.run(async () => {
        const owner = await ownerIfAny(this.#store, group);
        if (filter.accept && !filter.accept(group, owner)) return [];
        const times = await timesOf(this.#store.backend, group);
        return times.map((time) => ({ snapshot: { ...group, time }, owner }));
      })
    ));
    const infos = perGroup.flat().map(({ snapshot, owner }) => turns.run(() => this.#info(snapshot, owner)));
    return await Promise.all(infos);
  }

  /** Times of the snapshots of a group, ascending, and whether each is finished. Reads no manifest. */
  async times(group: GroupRef): Promise<{ time: number; finished: boolean }[]> {
    const times = await timesOf(this.#store.backend, group);
    return await Promise.all(times.map(async (time) => ({
      time,
      finished: await isFinished(this.#store.backend, { ns: group.ns, type: group.type, id: group.id, time }),
    })));
  }

  /** One snapshot as {@link list} shows it. Throws when it does not exist. */
  async info(snapshot: SnapshotRef): Promise<SnapshotInfo> {
    await this.#check(snapshot);
    return await this.#info(snapshot, await ownerIfAny(this.#store, snapshot));
  }

  async #info(snapshot: SnapshotRef, owner: string | undefined): Promise<SnapshotInfo> {
    const { ns, type, id, time } = snapshot;
    const path = pathOfSnapshot(snapshot);
    const content = await contentOf(this.#store.backend, path);
    const finished = content.names.includes(MANIFEST_NAME);
    const summary = finished ? await manifestSummary(this.#store.backend, path) : undefined;
    const files = listedFiles(content.names, summary);
    return {
      ns,
      type,
      id,
      time,
      comment: summary?.comment,
      verification: summary?.verification,
      fingerprint: summary?.fingerprint,
      files,
      size: summary && files.reduce((sum, file) => sum + (file.size ?? 0), 0),
      protected: content.protected,
      owner,
    };
  }

  /** Files as `GET …/files` lists them (`spec/reader-protocol.md` §4.3). Throws when the manifest cannot be read. */
  async files(snapshot: SnapshotRef): Promise<SnapshotFile[]> {
    await this.#check(snapshot);
    const path = pathOfSnapshot(snapshot);
    const manifest = await this.manifest(snapshot);
    const size = (await this.#store.backend.stat(`${path}/${MANIFEST_NAME}`))?.size ?? 0;
    const { names } = await contentOf(this.#store.backend, path);
    return listedFiles(names, summarize(manifest, size));
  }

  /** The manifest. Throws 404 when it is missing, and when it is damaged. */
  manifest(snapshot: SnapshotRef): Promise<Manifest> {
    return loadManifest(this.#store, snapshot);
  }

  exists(snapshot: SnapshotRef): Promise<boolean> {
    return directoryExists(this.#store.backend, pathOfSnapshot(snapshot));
  }

  /** Notes of the snapshot, `""` when there are none. */
  async notes(snapshot: SnapshotRef): Promise<string> {
    await this.#check(snapshot);
    return (await this.manifest(snapshot)).notes ?? "";
  }

  /** Replaces the notes in the manifest under the manifest lock. */
  async setNotes(snapshot: SnapshotRef, notes: string): Promise<void> {
    await this.#check(snapshot);
    await updateManifest(this.#store, snapshot, (manifest) => manifest.notes = notes);
  }

  async isProtected(snapshot: SnapshotRef): Promise<boolean> {
    await this.#check(snapshot);
    return await isProtected(this.#store, snapshot);
  }

  /** Sets or clears the protection under the exclusive snapshot lock. */
  async setProtected(snapshot: SnapshotRef, protect: boolean): Promise<void> {
    await this.#check(snapshot);
    using _lock = await this.#store.locks.snapshot(snapshot, "exclusive");
    const path = `${pathOfSnapshot(snapshot)}/${PROTECTED_NAME}`;
    if (!protect) await this.#store.backend.removeEntry(path);
    else await this.#store.backend.writeEntry(path, [], { exclusive: true, durable: true });
  }

  /** Stores the result of a verification in the manifest. */
  async setVerifyState(snapshot: SnapshotRef, state: VerifyState): Promise<void> {
    await updateManifest(this.#store, snapshot, (manifest) => manifest.verifyState = state);
  }

  /** Removes a snapshot. Refused when it is protected or in use. Removes the group when it was the last one. */
  forget(snapshot: SnapshotRef): Promise<void> {
    return forgetSnapshot(this.#store, snapshot);
  }

  /** Stores `client.log.blob` once; checks the blob's CRC. */
  async uploadLog(snapshot: SnapshotRef, blob: Uint8Array<ArrayBuffer>): Promise<void> {
    if (blob.length > MAX_ENCODED_CHUNK_SIZE) throw new DozoError("the client log is larger than 16 MiB");
    await this.#check(snapshot);
    const path = `${pathOfSnapshot(snapshot)}/${CLIENT_LOG_NAME}`;
    if (await this.#store.backend.stat(path)) throw new DozoError("backup already contains a log.");
    await verifyBlobCrc(blob);
    if (!await this.#store.backend.writeEntry(path, [blob], { exclusive: true })) {
      throw new DozoError("backup already contains a log.");
    }
  }

  /** Opens a snapshot for reading under a shared lock, so that it is neither pruned nor forgotten meanwhile. */
  async open(snapshot: SnapshotRef): Promise<SnapshotReader> {
    await this.#check(snapshot);
    return await SnapshotReader.open(this.#store, snapshot);
  }

  async #check(snapshot: SnapshotRef): Promise<void> {
    if (await this.exists(snapshot)) return;
    // A missing group or namespace is the same error, so that nobody learns which it was.
    throw new DozoError(`snapshot ${formatSnapshot(snapshot)} does not exist.`);
  }
}
