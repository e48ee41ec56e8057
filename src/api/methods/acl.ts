/** Access rules, roles and effective permissions (`spec/auth.md` §10 to §13). */
import { z } from "zod";
import { parseAuthId, tryParseAuthId } from "../../access/authid.ts";
import type { Caller } from "../../access/caller.ts";
import { isKnownAclPath } from "../../access/acl_paths.ts";
import { privilegeNames, ROLE_NAMES, ROLES } from "../../access/privileges.ts";
import { DozoError } from "../../base/errors.ts";
import { normalAclPath } from "../../config/acl.ts";
import { aclPath, authid, bool, choice, flag, ParameterError, sha256Hex, text } from "../../config/schema/mod.ts";
import { JsonResult, method } from "../method.ts";

/** Whether `authid` is a token of a caller that is a user login. */
function isOwnToken(caller: Caller, authid: string): boolean {
  const id = tryParseAuthId(authid);
  return caller.id.token === undefined && id?.token !== undefined && id.userid === caller.authid;
}

/** A path and all paths above it. */
function ancestors(path: string): string[] {
  const components = path.split("/").filter((component) => component !== "");
  return components.map((_, index) => `/${components.slice(0, index + 1).join("/")}`);
}

const TOP_PATHS = ["/", "/access", "/datastore", "/remote", "/system"];

export const ACL_METHODS = [
  method({
    verb: "GET",
    path: "/access/acl",
    description: "List access rules; without audit rights only those of the own tokens.",
    params: z.object({ path: aclPath().optional(), exact: flag() }),
    returns: z.array(z.object({
      path: z.string(),
      ugid: z.string(),
      ugid_type: z.enum(["user", "group"]),
      propagate: z.boolean(),
      roleid: z.string(),
    })),
    permission: { user: "all" },
    handler: ({ path, exact }, { services, caller }) => {
      const { value, digest } = services.config.acl.read();
      const all = caller.hasAny("/access/acl", "Sys.Audit");
      const wanted = path === undefined ? undefined : normalAclPath(path);
      const entries = value.entries().filter((entry) => {
        if (!all && !(entry.ugid_type === "user" && isOwnToken(caller, entry.ugid))) return false;
        if (wanted === undefined || (wanted === "/" && !exact)) return true;
        return entry.path === wanted || (!exact && entry.path.startsWith(`${wanted}/`));
      });
      return new JsonResult(entries, { digest });
    },
  }),
  method({
    verb: "PUT",
    path: "/access/acl",
    description: "Add or remove an access rule.",
    params: z.object({
      path: aclPath(),
      role: choice(ROLE_NAMES),
      propagate: bool().default(true),
      "auth-id": authid().optional(),
      group: text({ min: 3, max: 64, pattern: /^[^\s:/\p{Cc}]+$/u }).optional(),
      delete: flag(),
      digest: sha256Hex().optional(),
    }),
    permission: { user: "all" },
    protected: true,
    handler: async (params, { services, caller }) => {
      const { path, role, propagate, group, digest, delete: remove, "auth-id": id } = params;
      if (!caller.hasAny("/access/acl", "Permissions.Modify") && !(id !== undefined && isOwnToken(caller, id))) {
        throw caller.id.token === undefined
          ? new DozoError("Unprivileged users can only set ACLs for their own API tokens.", { status: 403 })
          : new DozoError("Unprivileged API tokens can't set ACL items.", { status: 403 });
      }
      if (group !== undefined) throw new DozoError("parameter 'group' - groups are currently not supported.");
      if (id === undefined) throw new DozoError("missing 'userid' or 'group' parameter.");
      if (!remove) {
        if (!services.access.identities().exists(parseAuthId(id))) {
          throw new DozoError(`no such ${parseAuthId(id).token === undefined ? "user" : "API token"}.`);
        }
        if (!isKnownAclPath(path)) throw ParameterError.of("path", `invalid ACL path '${path}'`);
      }
      await services.config.acl.update((tree) => {
        if (remove) tree.revoke(path, "user", id, role);
        else tree.grant(path, "user", id, role, propagate);
        return tree;
      }, digest);
    },
  }),
  method({
    verb: "GET",
    path: "/access/roles",
    description: "The fixed roles and their privileges.",
    params: z.object({}),
    returns: z.array(z.object({ roleid: z.string(), privs: z.array(z.string()), comment: z.string().optional() })),
    permission: { user: "all" },
    handler: () =>
      ROLE_NAMES.map((roleid) => ({
        roleid,
        privs: privilegeNames(ROLES[roleid].mask),
        comment: ROLES[roleid].comment,
      })),
  }),
  method({
    verb: "GET",
    path: "/access/permissions",
    description: "Effective privileges and whether they propagate, by path.",
    params: z.object({ "auth-id": authid().optional(), path: aclPath().optional() }),
    returns: z.record(z.string(), z.record(z.string(), z.boolean())),
    permission: { user: "all" },
    handler: ({ "auth-id": asked, path }, { services, caller }) => {
      const id = asked ?? caller.authid;
      if (id !== caller.authid && !caller.hasAny("/access", "Sys.Audit") && !isOwnToken(caller, id)) {
        throw new DozoError("not allowed to list permissions of " + id, { status: 403 });
      }
      const paths = path === undefined
        ? new Set([...TOP_PATHS, ...[...services.config.acl.read().value.nodes.keys()].flatMap(ancestors)])
        : new Set([normalAclPath(path)]);
      const listed: Record<string, Record<string, boolean>> = {};
      for (const one of [...paths].sort()) {
        const rights = caller.rightsOf(id, one);
        if (rights.all === 0 && path === undefined) continue;
        const propagating = new Set(privilegeNames(rights.propagating));
        const names = privilegeNames(rights.all).sort();
        listed[one] = Object.fromEntries(names.map((name) => [name, propagating.has(name)]));
      }
      return listed;
    },
  }),
];
