/** Parameters that name a group or a snapshot, and what they say. */
import type { Caller } from "../../access/caller.ts";
import { datastoreAclPath } from "../../access/caller.ts";
import type { Privilege } from "../../access/privileges.ts";
import { DozoError } from "../../base/errors.ts";
import { backupId, backupTime, backupType, namespace, storeName } from "../../config/schema/mod.ts";
import type { Datastore } from "../../datastore/datastore.ts";
import type { GroupRef, SnapshotRef } from "../../datastore/types.ts";

/** A store and optionally a namespace in it. */
export const NAMESPACE_PARAMS = { store: storeName(), ns: namespace().optional() };
/** A backup group. */
export const GROUP_PARAMS = { ...NAMESPACE_PARAMS, "backup-type": backupType(), "backup-id": backupId() };
/** A snapshot. */
export const SNAPSHOT_PARAMS = { ...GROUP_PARAMS, "backup-time": backupTime() };

interface GroupValues {
  readonly store: string;
  readonly ns?: string;
  readonly "backup-type": "vm" | "ct" | "host";
  readonly "backup-id": string;
}

/** The group that parameters name. */
export function groupOf(params: GroupValues): GroupRef {
  return { ns: params.ns ?? "", type: params["backup-type"], id: params["backup-id"] };
}

/** The snapshot that parameters name. */
export function snapshotOf(params: GroupValues & { readonly "backup-time": number }): SnapshotRef {
  return { ...groupOf(params), time: params["backup-time"] };
}

/** ACL path of the namespace that parameters name. */
export function aclPathOf(params: { readonly store: string; readonly ns?: string }): string {
  return datastoreAclPath(params.store, params.ns);
}

/**
 * Checks the rule of most calls: one of `full`, or one of `own` and ownership of the group. `open` is called in between,
 * so that nobody learns about stores and groups without a privilege. Throws 403 or 400.
 */
export async function openForGroup(
  caller: Caller,
  params: GroupValues,
  full: readonly Privilege[],
  own: readonly Privilege[],
  open: () => Promise<Datastore>,
): Promise<Datastore> {
  const mustOwn = caller.requireFullOrOwn(aclPathOf(params), full, own);
  const store = await open();
  if (mustOwn) caller.requireOwner(await store.groups.owner(groupOf(params)));
  return store;
}

/** Throws 400 when the namespace is missing. (A 404 would tell a pulling PBS that this server knows no namespaces.) */
export async function requireNamespace(store: Datastore, ns: string): Promise<void> {
  if (!(await store.namespaces.exists(ns))) throw new DozoError(`namespace '${ns}' does not exist`);
}
