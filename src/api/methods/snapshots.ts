/** Snapshots: listing, files, notes, protection, removal (`spec/reader-protocol.md` §4.3 and §7.4). */
import { z } from "zod";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { backupId, backupType, bool, text } from "../../config/schema/mod.ts";
import type { SnapshotFile, SnapshotInfo } from "../../datastore/types.ts";
import { method } from "../method.ts";
import {
  aclPathOf,
  NAMESPACE_PARAMS,
  openForGroup,
  requireNamespace,
  SNAPSHOT_PARAMS,
  snapshotOf,
} from "./snapshot_params.ts";

function fileOnWire(file: SnapshotFile) {
  return {
    filename: file.filename,
    ...(file.cryptMode === undefined ? {} : { "crypt-mode": file.cryptMode }),
    ...(file.size === undefined ? {} : { size: file.size }),
  };
}

function snapshotOnWire(info: SnapshotInfo) {
  return {
    "backup-type": info.type,
    "backup-id": info.id,
    "backup-time": info.time,
    ...(info.comment === undefined ? {} : { comment: info.comment }),
    ...(info.verification === undefined ? {} : { verification: info.verification }),
    ...(info.fingerprint === undefined ? {} : { fingerprint: info.fingerprint }),
    files: info.files.map(fileOnWire),
    ...(info.size === undefined ? {} : { size: info.size }),
    ...(info.owner === undefined ? {} : { owner: info.owner }),
    protected: info.protected,
  };
}

export const SNAPSHOT_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/snapshots",
    description: "Snapshots of a namespace, a type or a group; without audit rights only the own ones.",
    params: z.object({
      ...NAMESPACE_PARAMS,
      "backup-type": backupType().optional(),
      "backup-id": backupId().optional(),
    }),
    returns: z.array(z.looseObject({ "backup-time": z.int(), protected: z.boolean() })),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const ownOnly = caller.requireFullOrOwn(aclPathOf(params), ["Datastore.Audit"], ["Datastore.Backup"]);
      const store = await services.datastores.open(params.store, "read");
      await requireNamespace(store, params.ns ?? "");
      const snapshots = await store.snapshots.list(params.ns ?? "", {
        type: params["backup-type"],
        id: params["backup-id"],
      });
      return snapshots.filter((one) => !ownOnly || (one.owner !== undefined && caller.owns(one.owner))).map(
        snapshotOnWire,
      );
    },
  }),
  method({
    verb: "DELETE",
    path: "/admin/datastore/{store}/snapshots",
    description: "Remove a snapshot.",
    params: z.object(SNAPSHOT_PARAMS),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "write");
      const store = await openForGroup(caller, params, ["Datastore.Modify"], ["Datastore.Prune"], open);
      try {
        await store.snapshots.forget(snapshotOf(params));
      } catch (error) {
        throw new DozoError(`failed to delete snapshot - ${errorMessage(error)}`, { cause: error });
      }
    },
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/files",
    description: "Files of a snapshot.",
    params: z.object(SNAPSHOT_PARAMS),
    returns: z.array(z.object({ filename: z.string(), "crypt-mode": z.string().optional(), size: z.int().optional() })),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "read");
      const full = ["Datastore.Audit", "Datastore.Read"] as const;
      const store = await openForGroup(caller, params, full, ["Datastore.Backup"], open);
      return (await store.snapshots.files(snapshotOf(params))).map(fileOnWire);
    },
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/notes",
    description: "Notes of a snapshot.",
    params: z.object(SNAPSHOT_PARAMS),
    returns: z.string(),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "read");
      const store = await openForGroup(caller, params, ["Datastore.Audit"], ["Datastore.Backup"], open);
      return await store.snapshots.notes(snapshotOf(params));
    },
  }),
  method({
    verb: "PUT",
    path: "/admin/datastore/{store}/notes",
    description: "Replace the notes of a snapshot.",
    params: z.object({ ...SNAPSHOT_PARAMS, notes: text() }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "write");
      const store = await openForGroup(caller, params, ["Datastore.Modify"], ["Datastore.Backup"], open);
      await store.snapshots.setNotes(snapshotOf(params), params.notes);
    },
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/protected",
    description: "Whether a snapshot is protected from removal.",
    params: z.object(SNAPSHOT_PARAMS),
    returns: z.boolean(),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "read");
      const store = await openForGroup(caller, params, ["Datastore.Audit"], ["Datastore.Backup"], open);
      return await store.snapshots.isProtected(snapshotOf(params));
    },
  }),
  method({
    verb: "PUT",
    path: "/admin/datastore/{store}/protected",
    description: "Protect a snapshot from removal, or no longer.",
    params: z.object({ ...SNAPSHOT_PARAMS, protected: bool() }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "write");
      const store = await openForGroup(caller, params, ["Datastore.Modify"], ["Datastore.Backup"], open);
      await store.snapshots.setProtected(snapshotOf(params), params.protected);
    },
  }),
];
