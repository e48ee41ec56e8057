/** Datastores that a caller can see, their space and their use (`spec/reader-protocol.md` §7.1, `spec/rest-conventions.md` §7). */
import { z } from "zod";
import { type Caller, datastoreAclPath } from "../../access/caller.ts";
import { NAMESPACE_VISIBLE } from "../../access/privileges.ts";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { flag, storeName } from "../../config/schema/mod.ts";
import type { Datastore } from "../../datastore/datastore.ts";
import { method } from "../method.ts";

const FULL = ["Datastore.Audit", "Datastore.Backup"] as const;

function isVisible(caller: Caller, store: string): boolean {
  return caller.hasAnyBelow(datastoreAclPath(store), NAMESPACE_VISIBLE);
}

type Counts = { groups: number; snapshots: number } | null;

/** Groups and snapshots by type in all namespaces; a caller without audit rights gets those of its own groups. */
async function countContents(store: Datastore, caller: Caller): Promise<Record<string, Counts>> {
  const counts: Record<string, Counts> = { ct: null, host: null, vm: null, other: null };
  for (const ns of await store.namespaces.list("")) {
    const path = datastoreAclPath(store.name, ns);
    const all = caller.hasAny(path, "Datastore.Audit");
    if (!all && !caller.hasAny(path, "Datastore.Backup")) continue;
    for (const group of await store.groups.refs(ns)) {
      if (!all && !caller.owns(await store.groups.owner(group).catch(() => ""))) continue;
      const snapshots = (await store.snapshots.times(group)).length;
      if (snapshots === 0) continue;
      const sum = counts[group.type] ??= { groups: 0, snapshots: 0 };
      sum.groups++;
      sum.snapshots += snapshots;
    }
  }
  return counts;
}

export const DATASTORE_LIST_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore",
    description: "Datastores on which the caller has some right.",
    params: z.object({}),
    returns: z.array(z.object({
      store: storeName(),
      comment: z.string().nullable(),
      maintenance: z.string().optional(),
      "mount-status": z.string(),
      "backend-type": z.string(),
    })),
    permission: { user: "all" },
    handler: (_, { services, caller }) =>
      services.datastores.names().filter((name) => isVisible(caller, name)).map((store) => {
        const config = services.datastores.configOf(store);
        const full = caller.hasAny(datastoreAclPath(store), ...FULL);
        const maintenance = config["maintenance-mode"];
        return {
          store,
          comment: full ? config.comment ?? null : null,
          ...(maintenance === undefined ? {} : { maintenance }),
          "mount-status": "nonremovable",
          "backend-type": "filesystem",
        };
      }),
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/status",
    description: "Space of a datastore, with `verbose` also what it holds.",
    params: z.object({ store: storeName(), verbose: flag() }),
    returns: z.object({
      total: z.int(),
      used: z.int(),
      avail: z.int(),
      "backend-type": z.string(),
      counts: z.record(z.string(), z.unknown()).optional(),
    }),
    permission: { user: "all" },
    handler: async ({ store: name, verbose }, { services, caller }) => {
      const full = caller.hasAny(datastoreAclPath(name), ...FULL);
      if (!full && !isVisible(caller, name)) {
        throw new DozoError(`permission check failed - missing ${FULL.join("|")} on ${datastoreAclPath(name)}`, {
          status: 403,
        });
      }
      const store = await services.datastores.open(name, "read");
      const space = full ? await store.space() : { total: 0, used: 0, avail: 0 };
      return {
        total: space.total,
        used: space.used,
        avail: space.avail,
        "backend-type": "filesystem",
        ...(verbose ? { counts: await countContents(store, caller) } : {}),
      };
    },
  }),
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/active-operations",
    description: "Numbers of running reads and writes.",
    params: z.object({ store: storeName() }),
    returns: z.object({ read: z.int(), write: z.int() }),
    permission: { check: { path: ["datastore", "{store}"], privs: ["Datastore.Audit"], any: true } },
    handler: ({ store }, { services }) => {
      services.datastores.configOf(store);
      return services.datastores.operations.counts(store);
    },
  }),
  method({
    verb: "GET",
    path: "/status/datastore-usage",
    description: "Space of every datastore that the caller can see.",
    params: z.object({}),
    returns: z.array(z.looseObject({ store: storeName() })),
    permission: { user: "all" },
    handler: async (_, { services, caller }) => {
      const rows: Record<string, unknown>[] = [];
      for (const store of services.datastores.names()) {
        if (!isVisible(caller, store)) continue;
        const row = { store, "mount-status": "nonremovable", "backend-type": "filesystem" };
        if (!caller.hasAny(datastoreAclPath(store), ...FULL)) {
          rows.push({ store });
          continue;
        }
        try {
          const { total, used, avail } = await (await services.datastores.open(store, "read")).space();
          rows.push({ ...row, total, used, avail });
        } catch (error) {
          rows.push({ ...row, error: errorMessage(error) });
        }
      }
      return rows;
    },
  }),
];
