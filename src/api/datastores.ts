/** The configured datastores, opened on demand and kept open (`spec/datastore-layout.md` §6.5). */
import { join } from "node:path";
import { DozoError } from "../base/errors.ts";
import { ActiveOperations } from "../config/active_operations.ts";
import { DATASTORE, type DatastoreConfig, maintenanceOf, syncLevelOf } from "../config/datastores.ts";
import type { ServerConfig } from "../config/server_config.ts";
import { Datastore } from "../datastore/datastore.ts";

/** What a call does with a store: listing names and sizes is allowed in more maintenance modes than reading data. */
export type StoreUse = "lookup" | "read" | "write";

/** A store in use until `release` is called (once or more). */
export interface StoreLease {
  readonly store: Datastore;
  release(): void;
}

/** Opens stores by name for this process. */
export class Datastores {
  readonly operations: ActiveOperations;
  readonly #config: ServerConfig;
  readonly #open = new Map<string, { readonly key: string; readonly store: Promise<Datastore> }>();

  constructor(config: ServerConfig) {
    this.#config = config;
    this.operations = new ActiveOperations(config.directories.run);
  }

  /** Names of the configured stores, in file order. */
  names(): string[] {
    return this.#config.datastores.read().value.all
      .filter((section) => section.type === DATASTORE.type).map((section) => section.id);
  }

  /** The configuration of a store. Throws 400 when there is none. */
  configOf(name: string): DatastoreConfig {
    const section = this.#config.datastores.read().value.get(DATASTORE.type, name);
    if (!section) throw new DozoError(`no such datastore '${name}'`);
    return DATASTORE.read(section) as DatastoreConfig;
  }

  /** Opens a store for `use`. Throws 400 when it is missing, not a datastore, or its maintenance mode forbids the use. */
  async open(name: string, use: StoreUse): Promise<Datastore> {
    const config = this.configOf(name);
    const maintenance = maintenanceOf(config);
    if (maintenance) {
      const allowed = maintenance.type === "read-only"
        ? use !== "write"
        : use === "lookup" && maintenance.type !== "delete";
      if (!allowed) {
        const reason = maintenance.message ? `: ${maintenance.message}` : "";
        throw new DozoError(`datastore '${name}' is unavailable: ${maintenance.type} maintenance mode${reason}`);
      }
    }
    const syncLevel = syncLevelOf(config);
    const key = `${config.path}\0${syncLevel}`;
    const known = this.#open.get(name);
    if (known?.key === key) return await known.store;
    const store = Datastore.open({ name, path: config.path, lockDirectory: this.lockDirectory, syncLevel });
    this.#open.set(name, { key, store });
    store.catch(() => this.#open.delete(name));
    // The earlier object is left to its running sessions; nothing new gets it.
    return await store;
  }

  /** Opens a store for an operation that takes a while and is counted while it runs. */
  async lease(name: string, use: "read" | "write"): Promise<StoreLease> {
    const store = await this.open(name, use);
    const end = await this.operations.begin(name, use);
    return {
      store,
      release: () => {
        end().catch((error) => console.error(`active operations of '${name}':`, error));
      },
    };
  }

  /** Directory of all datastore locks. */
  get lockDirectory(): string {
    return join(this.#config.directories.run, "locks");
  }

  /** Lets go of a store that was removed from the configuration. */
  async forget(name: string): Promise<void> {
    const known = this.#open.get(name);
    this.#open.delete(name);
    (await known?.store.catch(() => undefined))?.close();
  }
}
