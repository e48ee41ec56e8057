/** Names of backup groups and snapshots, and their order (`spec/datastore-layout.md` §2.2 and §10). */
import { FormatError } from "../base/errors.ts";
import { formatBackupTime, parseBackupTime } from "./backup_time.ts";
import { isSafeId } from "./names.ts";
import { namespacePath } from "./namespace.ts";

/** The backup types in sort order. */
export const BACKUP_TYPES = ["ct", "host", "vm"] as const;
export type BackupType = typeof BACKUP_TYPES[number];

/** Longest backup id: it is a directory name. */
export const MAX_BACKUP_ID_LENGTH = 255;

/** All snapshots of one guest or host. */
export interface BackupGroup {
  readonly type: BackupType;
  readonly id: string;
}

/** One backup run. */
export interface BackupSnapshot extends BackupGroup {
  /** Unix seconds. */
  readonly time: number;
}

/** True for `vm`, `ct` and `host`. */
export function isBackupType(text: string): text is BackupType {
  return (BACKUP_TYPES as readonly string[]).includes(text);
}

/** True for a safe id that fits into a file name. */
export function isBackupId(text: string): boolean {
  return text.length <= MAX_BACKUP_ID_LENGTH && isSafeId(text);
}

/** Throws {@link FormatError} unless `text` is a backup type. */
export function parseBackupType(text: string): BackupType {
  if (isBackupType(text)) return text;
  throw new FormatError(`invalid backup type '${text.slice(0, 80)}': it is one of vm, ct, host`);
}

/** Throws {@link FormatError} unless `text` is a backup id. */
export function parseBackupId(text: string): string {
  if (isBackupId(text)) return text;
  throw new FormatError(
    `invalid backup id '${
      text.slice(0, 80)
    }': letters, digits, '_', '.' and '-' are allowed, not beginning with '.' or '-'`,
  );
}

/** `TYPE/ID`. Throws {@link FormatError}. */
export function parseGroup(text: string): BackupGroup {
  const parts = text.split("/");
  if (parts.length !== 2) throw new FormatError(`not a backup group: '${text.slice(0, 300)}' (expected TYPE/ID)`);
  return { type: parseBackupType(parts[0]), id: parseBackupId(parts[1]) };
}

/** `TYPE/ID/TIME`. Throws {@link FormatError}. */
export function parseSnapshot(text: string): BackupSnapshot {
  const parts = text.split("/");
  if (parts.length !== 3) {
    throw new FormatError(`not a backup snapshot: '${text.slice(0, 300)}' (expected TYPE/ID/TIME)`);
  }
  return { type: parseBackupType(parts[0]), id: parseBackupId(parts[1]), time: parseBackupTime(parts[2]) };
}

/** A group or a snapshot, by the number of components (`time` is absent for a group). Throws {@link FormatError}. */
export function parseGroupOrSnapshot(text: string): BackupGroup & { readonly time?: number } {
  return text.split("/").length === 2 ? parseGroup(text) : parseSnapshot(text);
}

/** `TYPE/ID`. */
export function formatGroup(group: BackupGroup): string {
  return `${group.type}/${group.id}`;
}

/** `TYPE/ID/TIME`. */
export function formatSnapshot(snapshot: BackupSnapshot): string {
  return `${snapshot.type}/${snapshot.id}/${formatBackupTime(snapshot.time)}`;
}

/** Directory of a group relative to the datastore's base: `ns/a/vm/100`. */
export function groupPath(namespace: string, group: BackupGroup): string {
  return joinPath(namespacePath(namespace), formatGroup(group));
}

/** Directory of a snapshot relative to the datastore's base: `ns/a/vm/100/2024-03-01T10:00:00Z`. */
export function snapshotPath(namespace: string, snapshot: BackupSnapshot): string {
  return joinPath(namespacePath(namespace), formatSnapshot(snapshot));
}

function joinPath(parent: string, child: string): string {
  return parent === "" ? child : `${parent}/${child}`;
}

/** ct < host < vm; then ids that are numbers, by value; then the other ids as text. */
export function compareGroups(a: BackupGroup, b: BackupGroup): number {
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  const aNumeric = /^[0-9]+$/.test(a.id);
  const bNumeric = /^[0-9]+$/.test(b.id);
  if (aNumeric !== bNumeric) return aNumeric ? -1 : 1;
  if (aNumeric && bNumeric) {
    // Ids may have more digits than a number can hold.
    const difference = BigInt(a.id) - BigInt(b.id);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Groups as {@link compareGroups}; snapshots of one group oldest first. */
export function compareSnapshots(a: BackupSnapshot, b: BackupSnapshot): number {
  return compareGroups(a, b) || a.time - b.time;
}
