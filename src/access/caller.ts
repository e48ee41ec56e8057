/** Who makes a request, and the checks that handlers make on its behalf (`spec/auth.md` §14). */
import { DozoError } from "../base/errors.ts";
import type { AclTree } from "../config/acl.ts";
import { type AuthId, owns, SUPERUSER } from "./authid.ts";
import { type Privilege, privilegeMask } from "./privileges.ts";
import { type Rights, rightsOf } from "./rights.ts";

/** ACL path of a namespace of a datastore. */
export function datastoreAclPath(store: string, namespace = ""): string {
  return namespace === "" ? `/datastore/${store}` : `/datastore/${store}/${namespace}`;
}

/** An authenticated identity together with the access rules as they were when its request came in. */
export class Caller {
  readonly id: AuthId;
  readonly #tree: AclTree;
  readonly #isActive: (id: AuthId) => boolean;

  constructor(id: AuthId, tree: AclTree, isActive: (id: AuthId) => boolean) {
    this.id = id;
    this.#tree = tree;
    this.#isActive = isActive;
  }

  /** The text that goes into owner files, UPIDs and logs. */
  get authid(): string {
    return this.id.text;
  }

  get isSuperuser(): boolean {
    return this.id.text === SUPERUSER;
  }

  /** Privileges on an ACL path. */
  rights(path: string): Rights {
    return rightsOf(this.#tree, this.id.text, path, this.#isActive);
  }

  /** Privileges of another identity on a path, for owner checks and permission listings. */
  rightsOf(authid: string, path: string): Rights {
    return rightsOf(this.#tree, authid, path, this.#isActive);
  }

  /** Whether the caller has one of `privileges` on `path`. */
  hasAny(path: string, ...privileges: readonly Privilege[]): boolean {
    return (this.rights(path).all & privilegeMask(...privileges)) !== 0;
  }

  /** Whether the caller has all of `privileges` on `path`. */
  hasAll(path: string, ...privileges: readonly Privilege[]): boolean {
    const mask = privilegeMask(...privileges);
    return (this.rights(path).all & mask) === mask;
  }

  /** Whether any privilege in `mask` holds on `path` or on a configured path below it. */
  hasAnyBelow(path: string, mask: number): boolean {
    if ((this.rights(path).all & mask) !== 0) return true;
    const prefix = path === "/" ? "/" : `${path}/`;
    for (const below of this.#tree.nodes.keys()) {
      if (below.startsWith(prefix) && (this.rights(below).all & mask) !== 0) return true;
    }
    return false;
  }

  /** Throws 403 unless the caller has one of `privileges` on `path`. */
  requireAny(path: string, ...privileges: readonly Privilege[]): void {
    if (!this.hasAny(path, ...privileges)) {
      throw new DozoError(`permission check failed - missing ${privileges.join("|")} on ${path}`, { status: 403 });
    }
  }

  /** Throws 403 unless the caller has all of `privileges` on `path`. */
  requireAll(path: string, ...privileges: readonly Privilege[]): void {
    if (!this.hasAll(path, ...privileges)) {
      throw new DozoError(`permission check failed - missing ${privileges.join("|")} on ${path}`, { status: 403 });
    }
  }

  /** Whether what `owner` owns is the caller's: itself, or one of its tokens. */
  owns(owner: string): boolean {
    return owns(this.authid, owner);
  }

  /** Throws unless the caller owns what `owner` owns. */
  requireOwner(owner: string): void {
    if (!this.owns(owner)) throw new DozoError(`backup owner check failed (${this.authid} != ${owner})`);
  }

  /**
   * The rule of most datastore calls: one of `full` on the namespace, or one of `own` and the caller owns the group.
   * Throws 403 without either. Returns true when ownership still has to be checked by {@link requireOwner}.
   */
  requireFullOrOwn(path: string, full: readonly Privilege[], own: readonly Privilege[]): boolean {
    if (this.hasAny(path, ...full)) return false;
    this.requireAny(path, ...full, ...own);
    return true;
  }
}
