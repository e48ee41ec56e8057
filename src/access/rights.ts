/** Evaluation of the ACL tree (`spec/auth.md` §13.3): which privileges an authid has on a path. */
import { type AclNode, type AclTree, normalAclPath } from "../config/acl.ts";
import { type AuthId, SUPERUSER, tryParseAuthId } from "./authid.ts";
import { ALL_PRIVILEGES, isRole, ROLES } from "./privileges.ts";

/** Privileges on one path; `propagating` is the part that also holds below it. */
export interface Rights {
  readonly all: number;
  readonly propagating: number;
}

/** No privilege at all. */
export const NO_RIGHTS: Rights = { all: 0, propagating: 0 };
const EVERYTHING: Rights = { all: ALL_PRIVILEGES, propagating: ALL_PRIVILEGES };

/** Roles of one node that count for `authid`; undefined when the node says nothing about it. */
function rolesAt(node: AclNode, authid: string, leaf: boolean): Map<string, boolean> | undefined {
  const kept = [...node.users.get(authid) ?? []].filter(([, propagate]) => leaf || propagate);
  if (kept.length === 0) return undefined;
  return kept.some(([role]) => role === "NoAccess") ? new Map([["NoAccess", false]]) : new Map(kept);
}

/** Rights of one authid by its own entries, without regard to the owner of a token. */
function evaluate(tree: AclTree, authid: string, path: string): Rights {
  const components = path.split("/").filter((component) => component !== "");
  let roles = new Map<string, boolean>();
  let at = "";
  for (let depth = 0; depth <= components.length; depth++) {
    if (depth > 0) at += `/${components[depth - 1]}`;
    const node = tree.nodes.get(at === "" ? "/" : at);
    roles = node && rolesAt(node, authid, depth === components.length) || roles;
  }
  let all = 0, propagating = 0;
  for (const [name, propagate] of roles) {
    if (!isRole(name)) continue;
    all |= ROLES[name].mask;
    if (propagate) propagating |= ROLES[name].mask;
  }
  return { all, propagating };
}

/**
 * Rights on `path`. `isActive` says whether an authid exists and is neither disabled nor expired; others have none.
 * A token has at most the rights of its user.
 */
export function rightsOf(tree: AclTree, authid: string, path: string, isActive: (id: AuthId) => boolean): Rights {
  const id = tryParseAuthId(authid);
  if (!id || !isActive(id)) return NO_RIGHTS;
  const target = normalAclPath(path);
  if (id.token === undefined) return authid === SUPERUSER ? EVERYTHING : evaluate(tree, authid, target);
  const own = evaluate(tree, authid, target);
  const user = id.userid === SUPERUSER ? EVERYTHING : evaluate(tree, id.userid, target);
  return { all: own.all & user.all, propagating: own.propagating & user.propagating };
}
