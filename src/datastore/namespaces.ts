/** Namespaces of one datastore (`spec/datastore-layout.md` §2.2, `spec/reader-protocol.md` §7.2). Paths like `a/b`, `""` is the root. */
import { DozoError } from "../base/errors.ts";
import { MAX_NAMESPACE_DEPTH, namespacePath, newNamespace } from "../formats/namespace.ts";
import type { StoreContext } from "./context.ts";
import { removeGroup } from "./removal.ts";
import { below, childNamespaces, directoryExists, groupsOf } from "./tree.ts";
import type { DeleteStats } from "./types.ts";

/** Operations on namespaces; permission checks are the caller's. */
export class Namespaces {
  readonly #store: StoreContext;

  constructor(store: StoreContext) {
    this.#store = store;
  }

  /** Whether the namespace exists (the root always does). Throws for a malformed or too deep one. */
  async exists(ns: string): Promise<boolean> {
    const path = namespacePath(ns);
    return path === "" || await directoryExists(this.#store.backend, path);
  }

  /** Throws 404 unless the namespace exists. */
  async check(ns: string): Promise<void> {
    if (!await this.exists(ns)) throw new DozoError("namespace not found", { status: 404 });
  }

  /**
   * `parent` itself and the namespaces below it, depth first, at most `maxDepth` levels below it (default: all).
   * Throws 404 when `parent` is missing.
   */
  async list(parent = "", maxDepth: number = MAX_NAMESPACE_DEPTH): Promise<string[]> {
    await this.check(parent);
    const found = [parent];
    if (maxDepth > 0) {
      for (const child of await childNamespaces(this.#store.backend, parent)) {
        found.push(...await this.#below(child, maxDepth - 1));
      }
    }
    return found;
  }

  async #below(ns: string, depth: number): Promise<string[]> {
    const found = [ns];
    if (depth <= 0) return found;
    for (const child of await childNamespaces(this.#store.backend, ns)) {
      found.push(...await this.#below(child, depth - 1));
    }
    return found;
  }

  /** Creates `parent/name` and returns its path; an existing one is fine. Throws 404 when `parent` is missing. */
  async create(parent: string, name: string): Promise<string> {
    const ns = newNamespace(parent, name);
    await this.check(parent);
    await this.#store.backend.createDirectory(namespacePath(ns));
    return ns;
  }

  /**
   * Removes a namespace with the namespaces below it: only empty ones, or with `deleteGroups` with all their groups.
   * What is protected, in use or not empty stays; `complete` says whether the namespace is gone. The root is refused.
   */
  async remove(ns: string, options: { deleteGroups: boolean }): Promise<DeleteStats & { complete: boolean }> {
    if (ns === "") throw new DozoError("cannot delete the root namespace of a datastore");
    const stats = { removedGroups: 0, removedSnapshots: 0, protectedSnapshots: 0, complete: true };
    if (!await this.exists(ns)) {
      if (options.deleteGroups) throw new DozoError(`namespace '${ns}' does not exist`);
      return stats;
    }
    for (const child of (await this.list(ns)).reverse()) {
      if (options.deleteGroups) await this.#removeGroups(child, stats);
      stats.complete = await this.#removeDirectories(child) && stats.complete;
    }
    return stats;
  }

  async #removeGroups(ns: string, stats: DeleteStats): Promise<void> {
    for (const group of await groupsOf(this.#store.backend, ns)) {
      const removed = await removeGroup(this.#store, group);
      stats.removedGroups += removed.removedGroups;
      stats.removedSnapshots += removed.removedSnapshots;
      stats.protectedSnapshots += removed.protectedSnapshots;
    }
  }

  async #removeDirectories(ns: string): Promise<boolean> {
    const path = namespacePath(ns);
    for (const name of ["ct", "host", "vm", "ns"]) await this.#store.backend.removeDirectory(below(path, name));
    const gone = await this.#store.backend.removeDirectory(path);
    // The directory `ns` that held it goes with the last namespace in it.
    if (gone) await this.#store.backend.removeDirectory(path.slice(0, path.lastIndexOf("/")));
    return gone;
  }
}
