/** Names of lock files below the lock directory of a store (`spec/datastore-layout.md` §6.2). */
import { toHex } from "../../base/bytes.ts";
import { formatGroup, formatSnapshot } from "../../formats/backup_path.ts";
import { escapeUnitPath } from "../../formats/systemd_escape.ts";
import { sha256Sync } from "../../native/crypto.ts";
import type { GroupRef, SnapshotRef } from "../types.ts";

const LONGEST_NAME = 254;
const KEPT_OF_LONG_NAME = 80;

/** Lock of a group. */
export function groupLockName(group: GroupRef): string {
  return inNamespace(group.ns, lockFileName(formatGroup(group)));
}

/** Lock of a snapshot. */
export function snapshotLockName(snapshot: SnapshotRef): string {
  return inNamespace(snapshot.ns, lockFileName(formatSnapshot(snapshot)));
}

/** Lock of the manifest of a snapshot. */
export function manifestLockName(snapshot: SnapshotRef): string {
  return inNamespace(snapshot.ns, lockFileName(`${formatSnapshot(snapshot)}/.index.json.lck`));
}

function inNamespace(ns: string, name: string): string {
  return ns === "" ? name : `${ns.replaceAll("/", ":")}/${name}`;
}

/** The escaped path; a name too long for a file is shortened around a hash. */
export function lockFileName(path: string): string {
  const name = escapeUnitPath(path);
  if (name.length <= LONGEST_NAME) return name;
  const hash = toHex(sha256Sync(new TextEncoder().encode(path)));
  return `hashed/${name.slice(0, KEPT_OF_LONG_NAME)}...${name.slice(-KEPT_OF_LONG_NAME)}-${hash}`;
}
