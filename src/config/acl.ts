/** `acl.cfg`: who has which role on which path (`spec/auth.md` §13.1). */
import { DozoError } from "../base/errors.ts";

/** Roles with their propagate flag, by authid or group name. */
type Grants = Map<string, Map<string, boolean>>;

/** Grants of one path. */
export interface AclNode {
  readonly users: Grants;
  readonly groups: Grants;
}

/** One grant as the API lists it. */
export interface AclEntry {
  readonly path: string;
  readonly ugid: string;
  readonly ugid_type: "user" | "group";
  readonly propagate: boolean;
  readonly roleid: string;
}

/** `/a/b` of a path text: empty components are dropped, so a trailing slash does not matter. */
export function normalAclPath(path: string): string {
  return `/${path.split("/").filter((component) => component !== "").join("/")}`;
}

/** All grants, by path. */
export class AclTree {
  readonly nodes: Map<string, AclNode> = new Map<string, AclNode>();

  /** Parses the file. `isRole` tells known role names. Throws {@link DozoError} with `file` and the line. */
  static parse(text: string, file: string, isRole: (name: string) => boolean): AclTree {
    const tree = new AclTree();
    text.split("\n").forEach((raw, index) => {
      const line = raw.trim();
      if (line === "") return;
      const fail = (why: string) => new DozoError(`unable to parse acl config "${file}", line ${index + 1} - ${why}`);
      const items = line.split(":");
      if (items.length !== 5) throw fail("wrong number of items.");
      const [kind, propagate, path, ids, roles] = items.map((item) => item.trim());
      if (kind !== "acl") throw fail("line does not start with 'acl'.");
      if (propagate !== "0" && propagate !== "1") throw fail("expected '0' or '1' for propagate flag.");
      for (const role of listOf(roles)) {
        if (!isRole(role)) throw fail(`unknown role '${role}'`);
        for (const id of listOf(ids)) {
          if (id.startsWith("@")) tree.grant(path, "group", id.slice(1), role, propagate === "1");
          else tree.grant(path, "user", id, role, propagate === "1");
        }
      }
    });
    return tree;
  }

  /** Adds a grant, or changes its propagate flag. */
  grant(path: string, kind: "user" | "group", id: string, role: string, propagate: boolean): void {
    const key = normalAclPath(path);
    let node = this.nodes.get(key);
    if (!node) this.nodes.set(key, node = { users: new Map(), groups: new Map() });
    const grants = kind === "user" ? node.users : node.groups;
    let roles = grants.get(id);
    if (!roles) grants.set(id, roles = new Map());
    roles.set(role, propagate);
  }

  /** Removes a grant; false when there was none. */
  revoke(path: string, kind: "user" | "group", id: string, role: string): boolean {
    const key = normalAclPath(path);
    const node = this.nodes.get(key);
    const grants = kind === "user" ? node?.users : node?.groups;
    const roles = grants?.get(id);
    if (!node || !grants || !roles?.delete(role)) return false;
    if (roles.size === 0) grants.delete(id);
    if (node.users.size === 0 && node.groups.size === 0) this.nodes.delete(key);
    return true;
  }

  /** Removes every grant of an authid. */
  forget(authid: string): void {
    for (const [path, node] of this.nodes) {
      node.users.delete(authid);
      if (node.users.size === 0 && node.groups.size === 0) this.nodes.delete(path);
    }
  }

  /** All grants, sorted by path. */
  entries(): AclEntry[] {
    const all: AclEntry[] = [];
    for (const path of this.sortedPaths()) {
      const node = this.nodes.get(path);
      if (!node) continue;
      for (const [kind, grants] of [["user", node.users], ["group", node.groups]] as const) {
        for (const [ugid, roles] of [...grants].sort(byName)) {
          for (const [roleid, propagate] of roles) all.push({ path, ugid, ugid_type: kind, propagate, roleid });
        }
      }
    }
    return all;
  }

  /** The file's text: authids with the same roles share a line, lists are sorted, the superuser needs no line. */
  format(superuser: string): string {
    let text = "";
    for (const path of this.sortedPaths()) {
      const node = this.nodes.get(path);
      if (!node) continue;
      for (const propagate of [false, true]) {
        const idsOfRoles = new Map<string, string[]>();
        const collect = (grants: Grants, prefix: string) => {
          for (const [id, roles] of grants) {
            if (prefix === "" && id === superuser) continue;
            const names = [...roles].filter(([, flag]) => flag === propagate).map(([name]) => name).sort();
            if (names.length === 0) continue;
            const key = names.join(",");
            idsOfRoles.set(key, [...(idsOfRoles.get(key) ?? []), prefix + id]);
          }
        };
        collect(node.users, "");
        collect(node.groups, "@");
        const lines = [...idsOfRoles].map(([roles, ids]) => [ids.sort().join(","), roles] as const);
        for (const [ids, roles] of lines.sort(byName)) text += `acl:${propagate ? 1 : 0}:${path}:${ids}:${roles}\n`;
      }
    }
    return text;
  }

  private sortedPaths(): string[] {
    const byComponents = (a: string, b: string) => {
      const left = a.split("/"), right = b.split("/");
      for (let i = 0; i < Math.min(left.length, right.length); i++) {
        if (left[i] !== right[i]) return left[i] < right[i] ? -1 : 1;
      }
      return left.length - right.length;
    };
    return [...this.nodes.keys()].sort(byComponents);
  }
}

function listOf(text: string): string[] {
  return text.split(",").map((item) => item.trim()).filter((item) => item !== "");
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0;
}
