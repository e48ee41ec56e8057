/** Walks the hierarchy of a store: namespaces, groups, snapshots. Anything that does not belong there is ignored. */
import { MANIFEST_NAME } from "../formats/archive_name.ts";
import { BACKUP_TYPES, type BackupType, compareGroups, isBackupId } from "../formats/backup_path.ts";
import { isBackupTimeText, parseBackupTime } from "../formats/backup_time.ts";
import { MAX_NAMESPACE_DEPTH, namespaceDepth, namespacePath } from "../formats/namespace.ts";
import { isSafeId } from "../formats/names.ts";
import type { StorageBackend } from "./backend/contract.ts";
import { pathOfGroup, pathOfSnapshot } from "./context.ts";
import type { GroupRef, SnapshotRef } from "./types.ts";

/** Names of the sub-directories of `path` for which `accept` holds. */
async function directoriesIn(
  backend: StorageBackend,
  path: string,
  accept: (name: string) => boolean,
): Promise<string[]> {
  const entries = await backend.list(path) ?? [];
  return entries.filter(({ name, kind }) => kind === "directory" && accept(name)).map(({ name }) => name);
}

/** `parent/child`, where an empty parent is the base. */
export function below(parent: string, child: string): string {
  return parent === "" ? child : `${parent}/${child}`;
}

/** Whether `path` is a directory, reached through directories only: no symlink on the way leads elsewhere. */
export async function directoryExists(backend: StorageBackend, path: string): Promise<boolean> {
  for (let slash = path.indexOf("/"); slash > 0; slash = path.indexOf("/", slash + 1)) {
    if ((await backend.stat(path.slice(0, slash)))?.kind !== "directory") return false;
  }
  return (await backend.stat(path))?.kind === "directory";
}

/** Namespaces directly below `ns`, sorted. */
export async function childNamespaces(backend: StorageBackend, ns: string): Promise<string[]> {
  if (namespaceDepth(ns) >= MAX_NAMESPACE_DEPTH) return [];
  const names = await directoriesIn(backend, below(namespacePath(ns), "ns"), isSafeId);
  return names.sort().map((name) => below(ns, name));
}

/** Groups of a namespace, also empty ones, sorted as lists show them. */
export async function groupsOf(backend: StorageBackend, ns: string, type?: string): Promise<GroupRef[]> {
  const groups: GroupRef[] = [];
  for (const groupType of BACKUP_TYPES) {
    if (type === undefined || type === groupType) groups.push(...await groupsOfType(backend, ns, groupType));
  }
  return groups.sort(compareGroups);
}

async function groupsOfType(backend: StorageBackend, ns: string, type: BackupType): Promise<GroupRef[]> {
  const ids = await directoriesIn(backend, below(namespacePath(ns), type), isBackupId);
  return ids.map((id) => ({ ns, type, id }));
}

/** Times of the snapshots of a group, ascending, finished or not. */
export async function timesOf(backend: StorageBackend, group: GroupRef): Promise<number[]> {
  const names = await directoriesIn(backend, pathOfGroup(group), isBackupTimeText);
  return names.map(parseBackupTime).sort((a, b) => a - b);
}

/** Whether a snapshot has a manifest. */
export async function isFinished(backend: StorageBackend, snapshot: SnapshotRef): Promise<boolean> {
  return (await backend.stat(`${pathOfSnapshot(snapshot)}/${MANIFEST_NAME}`))?.kind === "file";
}

/** The newest finished snapshot of a group. */
export async function newestFinished(backend: StorageBackend, group: GroupRef): Promise<SnapshotRef | undefined> {
  for (const time of (await timesOf(backend, group)).reverse()) {
    const snapshot = { ns: group.ns, type: group.type, id: group.id, time };
    if (await isFinished(backend, snapshot)) return snapshot;
  }
}
