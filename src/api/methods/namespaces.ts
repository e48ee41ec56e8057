/** Namespaces of a datastore (`spec/reader-protocol.md` §7.2). */
import { z } from "zod";
import { datastoreAclPath } from "../../access/caller.ts";
import { NAMESPACE_VISIBLE, privilegeNames } from "../../access/privileges.ts";
import { DozoError } from "../../base/errors.ts";
import { bool, flag, integer, namespace, SAFE_ID_PATTERN, storeName, text } from "../../config/schema/mod.ts";
import { parentNamespace } from "../../formats/namespace.ts";
import { method } from "../method.ts";
import { deleteResult } from "./delete_result.ts";
import { requireNamespace } from "./snapshot_params.ts";

export const NAMESPACE_METHODS = [
  method({
    verb: "GET",
    path: "/admin/datastore/{store}/namespace",
    description: "Namespaces at and below `parent` that the caller can see.",
    params: z.object({ store: storeName(), parent: namespace().optional(), "max-depth": integer(0, 7).default(7) }),
    returns: z.array(z.object({ ns: z.string(), comment: z.string().optional() })),
    permission: { user: "all" },
    handler: async ({ store: name, parent = "", "max-depth": depth }, { services, caller }) => {
      const visible = (ns: string) => (caller.rights(datastoreAclPath(name, ns)).all & NAMESPACE_VISIBLE) !== 0;
      if (!visible(parent) && !caller.hasAnyBelow(datastoreAclPath(name, parent), NAMESPACE_VISIBLE)) {
        const wanted = privilegeNames(NAMESPACE_VISIBLE).join("|");
        throw new DozoError(`permission check failed - missing ${wanted} on ${datastoreAclPath(name, parent)}`, {
          status: 403,
        });
      }
      const store = await services.datastores.open(name, "read");
      await requireNamespace(store, parent);
      return (await store.namespaces.list(parent, depth)).filter(visible).map((ns) => ({ ns }));
    },
  }),
  method({
    verb: "POST",
    path: "/admin/datastore/{store}/namespace",
    description: "Create a namespace; one that exists is fine.",
    params: z.object({
      store: storeName(),
      name: text({ min: 1, max: 32, pattern: SAFE_ID_PATTERN }),
      parent: namespace().optional(),
    }),
    returns: z.string(),
    permission: { user: "all" },
    handler: async ({ store: name, name: child, parent = "" }, { services, caller }) => {
      caller.requireAny(datastoreAclPath(name, parent), "Datastore.Modify");
      const store = await services.datastores.open(name, "write");
      if (!(await store.namespaces.exists(parent))) {
        throw new DozoError(`cannot create new namespace, parent ${parent} doesn't already exists`);
      }
      return await store.namespaces.create(parent, child);
    },
  }),
  method({
    verb: "DELETE",
    path: "/admin/datastore/{store}/namespace",
    description: "Remove an empty namespace, or with `delete-groups` all that is in it.",
    params: z.object({
      store: storeName(),
      ns: namespace(),
      "delete-groups": flag(),
      "error-on-protected": bool().default(true),
    }),
    permission: { user: "all" },
    handler: async (params, { services, caller }) => {
      const parent = parentNamespace(params.ns);
      if (parent === undefined) throw new DozoError("Cannot create/delete root namespace!");
      caller.requireAny(datastoreAclPath(params.store, parent), "Datastore.Modify");
      const store = await services.datastores.open(params.store, "write");
      const stats = await store.namespaces.remove(params.ns, { deleteGroups: params["delete-groups"] });
      return deleteResult(stats, params["error-on-protected"], `namespace '${params.ns}'`);
    },
  }),
];
