/** Backup groups of one datastore. */
import { Semaphore } from "../base/concurrency.ts";
import { DozoError } from "../base/errors.ts";
import { formatGroup } from "../formats/backup_path.ts";
import { NOTES_NAME, OWNER_NAME, pathOfGroup, pathOfSnapshot, type StoreContext } from "./context.ts";
import { ownerFile, ownerIfAny, readOwner } from "./group_owner.ts";
import { filesOf } from "./snapshot_files.ts";
import { removeGroup } from "./removal.ts";
import { directoryExists, groupsOf, isFinished, timesOf } from "./tree.ts";
import type { DeleteStats, GroupInfo, GroupRef } from "./types.ts";

const PARALLEL_READS = 8;
const MAX_NOTES_BYTES = 1024 * 1024;

/** Operations on groups; permission checks are the caller's. */
export class Groups {
  readonly #store: StoreContext;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /** Groups of one namespace that hold at least one snapshot, sorted ct < host < vm, numeric ids first. */
  async list(ns: string): Promise<GroupInfo[]> {
    const turns = new Semaphore(PARALLEL_READS);
    const infos = (await this.refs(ns)).map((group) => turns.run(() => this.info(group)));
    return (await Promise.all(infos)).filter((info) => info !== undefined);
  }

  /** One group as {@link list} shows it; undefined when it holds no snapshot. */
  async info(group: GroupRef): Promise<GroupInfo | undefined> {
    const { backend } = this.#store;
    const times = await timesOf(backend, group);
    if (times.length === 0) return undefined;
    const ref = { ns: group.ns, type: group.type, id: group.id };
    // The newest finished snapshot speaks for the group; without one, the newest does.
    let newest = times[times.length - 1];
    for (const time of times.toReversed()) {
      if (!await isFinished(backend, { ...ref, time })) continue;
      newest = time;
      break;
    }
    return {
      ...ref,
      lastBackup: newest,
      backupCount: times.length,
      files: await filesOf(backend, pathOfSnapshot({ ...ref, time: newest })),
      owner: await ownerIfAny(this.#store, group),
      comment: await this.notes(group).then(firstLineWithEnd, () => undefined),
    };
  }

  /** References of all groups of a namespace in the same order, also empty ones; cheaper than {@link list}. */
  refs(ns: string): Promise<GroupRef[]> {
    return groupsOf(this.#store.backend, ns);
  }

  exists(group: GroupRef): Promise<boolean> {
    return directoryExists(this.#store.backend, pathOfGroup(group));
  }

  /** Authentication id of the owner. Throws when the owner file is missing or unreadable. */
  owner(group: GroupRef): Promise<string> {
    return readOwner(this.#store, group);
  }

  /** Replaces the owner under the group lock. Throws when the group is missing or locked. */
  async setOwner(group: GroupRef, owner: string): Promise<void> {
    await this.#check(group);
    using _lock = await this.#store.locks.group(group);
    await this.#store.backend.writeEntry(`${pathOfGroup(group)}/${OWNER_NAME}`, [ownerFile(owner)], { durable: true });
  }

  /** Group notes, `""` when there are none. */
  async notes(group: GroupRef): Promise<string> {
    const bytes = await this.#store.backend.readEntry(`${pathOfGroup(group)}/${NOTES_NAME}`, MAX_NOTES_BYTES);
    return bytes ? new TextDecoder().decode(bytes) : "";
  }

  /** Replaces the group notes under the group lock. Throws when the group is missing or locked, or above 1 MiB. */
  async setNotes(group: GroupRef, notes: string): Promise<void> {
    const bytes = new TextEncoder().encode(notes);
    if (bytes.length > MAX_NOTES_BYTES) throw new DozoError(`notes have ${bytes.length} bytes, at most 1 MiB is kept`);
    await this.#check(group);
    using _lock = await this.#store.locks.group(group);
    const path = `${pathOfGroup(group)}/${NOTES_NAME}`;
    if (notes === "") await this.#store.backend.removeEntry(path);
    else await this.#store.backend.writeEntry(path, [bytes], { durable: true });
  }

  /** Removes all snapshots that are not protected, then the group if none is left. Throws when something is in use. */
  async remove(group: GroupRef): Promise<DeleteStats> {
    await this.#check(group);
    return await removeGroup(this.#store, group);
  }

  async #check(group: GroupRef): Promise<void> {
    if (!await this.exists(group)) throw new DozoError(`group ${formatGroup(group)} does not exist.`);
  }
}

/** First line as PBS shows it: with its line end, where it has one; undefined for no notes. */
function firstLineWithEnd(notes: string): string | undefined {
  const end = notes.indexOf("\n");
  return (end < 0 ? notes : notes.slice(0, end + 1)) || undefined;
}
