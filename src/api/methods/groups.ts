/** Backup groups (`spec/reader-protocol.md` §7.3, `spec/auth.md` §15). */
import { z } from "zod";
import { parseAuthId } from "../../access/authid.ts";
import type { Caller } from "../../access/caller.ts";
import { DozoError } from "../../base/errors.ts";
import { authid, backupId, backupType, bool, text } from "../../config/schema/mod.ts";
import { method } from "../method.ts";
import { deleteResult } from "./delete_result.ts";
import {
  aclPathOf,
  GROUP_PARAMS,
  groupOf,
  NAMESPACE_PARAMS,
  openForGroup,
  requireNamespace,
} from "./snapshot_params.ts";

/** Whether somebody with Datastore.Backup only may hand a group from `owner` to `to`: between a user and its own tokens. */
function mayHandOver(caller: Caller, owner: string, to: string): boolean {
  if (caller.id.token !== undefined) return false;
  return parseAuthId(owner).userid === caller.authid && parseAuthId(to).userid === caller.authid;
}

export const GROUP_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/groups",
    description: "Groups of a namespace; without audit rights only the own ones.",
    params: z.object(NAMESPACE_PARAMS),
    returns: z.array(z.looseObject({ "backup-type": backupType(), "backup-id": backupId(), "backup-count": z.int() })),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const ownOnly = caller.requireFullOrOwn(aclPathOf(params), ["Datastore.Audit"], ["Datastore.Backup"]);
      const store = await services.datastores.open(params.store, "read");
      await requireNamespace(store, params.ns ?? "");
      const groups = await store.groups.list(params.ns ?? "");
      return groups.filter((group) => !ownOnly || (group.owner !== undefined && caller.owns(group.owner))).map((
        group,
      ) => ({
        "backup-type": group.type,
        "backup-id": group.id,
        "last-backup": group.lastBackup,
        "backup-count": group.backupCount,
        files: group.files,
        ...(group.owner === undefined ? {} : { owner: group.owner }),
        ...(group.comment === undefined ? {} : { comment: group.comment }),
      }));
    },
  }),
  method({
    verb: "DELETE",
    path: "/admin/datastore/{store}/groups",
    description: "Remove a group with all its snapshots.",
    params: z.object({ ...GROUP_PARAMS, "error-on-protected": bool().default(true) }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "write");
      const store = await openForGroup(caller, params, ["Datastore.Modify"], ["Datastore.Prune"], open);
      const stats = await store.groups.remove(groupOf(params));
      return deleteResult(stats, params["error-on-protected"], "group");
    },
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/group-notes",
    description: "Notes of a group.",
    params: z.object(GROUP_PARAMS),
    returns: z.string(),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "read");
      const store = await openForGroup(caller, params, ["Datastore.Audit"], ["Datastore.Backup"], open);
      return await store.groups.notes(groupOf(params));
    },
  }),
  method({
    verb: "PUT",
    path: "/admin/datastore/{store}/group-notes",
    description: "Replace the notes of a group.",
    params: z.object({ ...GROUP_PARAMS, notes: text() }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const open = () => services.datastores.open(params.store, "write");
      const store = await openForGroup(caller, params, ["Datastore.Modify"], ["Datastore.Backup"], open);
      await store.groups.setNotes(groupOf(params), params.notes);
    },
  }),
  method({
    verb: "POST",
    path: "/admin/datastore/{store}/change-owner",
    description: "Give a group to another user or token.",
    params: z.object({ ...GROUP_PARAMS, "new-owner": authid() }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const to = params["new-owner"];
      const limited = caller.requireFullOrOwn(aclPathOf(params), ["Datastore.Modify"], ["Datastore.Backup"]);
      const store = await services.datastores.open(params.store, "write");
      if (limited && !mayHandOver(caller, await store.groups.owner(groupOf(params)), to)) {
        throw new DozoError("ownership may only be passed between a user and its own API tokens", { status: 401 });
      }
      if (!services.access.isActive(parseAuthId(to))) throw new DozoError(`user '${to}' is inactive or non-existent`);
      await store.groups.setOwner(groupOf(params), to);
    },
  }),
];
