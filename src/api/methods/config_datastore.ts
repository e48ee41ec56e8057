/** Configuration of datastores: create, change, remove (`spec/config-files.md` §13). */
import { isAbsolute, normalize } from "node:path";
import { z } from "zod";
import { type Caller, datastoreAclPath } from "../../access/caller.ts";
import { DozoError, errorMessage } from "../../base/errors.ts";
import {
  DATASTORE,
  DATASTORE_DELETABLE,
  DATASTORE_FIELDS,
  type DatastoreConfig,
  maintenanceOf,
  syncLevelOf,
} from "../../config/datastores.ts";
import { deleteList, flag, ParameterError, sha256Hex, storeName, text } from "../../config/schema/mod.ts";
import { Datastore } from "../../datastore/datastore.ts";
import { JsonResult, method, type RequestContext } from "../method.ts";
import type { Services } from "../services.ts";

const INFO = z.looseObject({ name: storeName(), path: z.string() });

function configOf(services: Services, name: string): DatastoreConfig {
  return services.datastores.configOf(name);
}

/** Throws when one store's directory would lie in another's: they would share or lose chunks. */
function requireSeparate(configs: readonly DatastoreConfig[], name: string, path: string): void {
  for (const other of configs) {
    if (other.name === name) throw ParameterError.of("name", `datastore '${name}' already exists.`);
    const [a, b] = [`${normalize(other.path)}/`, `${path}/`];
    if (a.startsWith(b) || b.startsWith(a)) {
      throw ParameterError.of("path", `nested datastores not allowed: '${other.name}' already in "${other.path}"`);
    }
  }
}

/** Starts a task that goes on after the answer; the answer is its UPID. */
async function startTask(
  { services, caller }: { services: Services; caller: Caller },
  type: string,
  id: string,
  work: (log: (line: string) => void) => Promise<void>,
): Promise<string> {
  const task = await services.tasks.start({ type, id, authId: caller.authid });
  const run = async () => {
    try {
      await work((line) => task.log(line));
      await task.finish();
    } catch (error) {
      await task.finish(error);
    }
  };
  run().catch((error) => console.error(`task ${task.upid}:`, error));
  return task.upid;
}

async function createStore(
  context: RequestContext,
  config: DatastoreConfig,
  reuse: boolean,
  log: (line: string) => void,
): Promise<void> {
  const { services } = context;
  const { name, path } = config;
  const options = { name, path, lockDirectory: services.datastores.lockDirectory, syncLevel: syncLevelOf(config) };
  let shown = 0;
  const progress = (fraction: number) => {
    const percent = Math.floor(fraction * 100);
    if (percent >= shown + 10) log(`Chunkstore create: ${shown = percent - percent % 10}%`);
  };
  log(`${reuse ? "adopting" : "creating"} datastore '${name}' at "${path}"`);
  const store = await (reuse ? Datastore.adopt(options, progress) : Datastore.create(options, progress));
  store.close();
  await services.config.datastores.update((sections) => {
    requireSeparate(DATASTORE.list(sections) as DatastoreConfig[], name, path);
    return sections.with(DATASTORE.create(name, config));
  });
}

/** Removes what belongs to a store; anything else in its directory stays. */
async function destroyData(path: string, log: (line: string) => void): Promise<void> {
  for (const entry of [".chunks", ".lock", ".gc-status", "ns", "vm", "ct", "host"]) {
    try {
      await Deno.remove(`${path}/${entry}`, { recursive: true });
      log(`removed "${path}/${entry}"`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  await Deno.remove(path).catch((error) => log(`kept the directory "${path}": ${errorMessage(error)}`));
}

export const CONFIG_DATASTORE_METHODS = [
  method({
    verb: "GET",
    path: "/config/datastore",
    description: "Configured datastores that the caller may see.",
    params: z.object({}),
    returns: z.array(INFO),
    permission: { user: "all" },
    handler: (_, { services, caller }) => {
      const { value, digest } = services.config.datastores.read();
      const stores = DATASTORE.list(value).filter(({ name }) =>
        caller.hasAny(datastoreAclPath(String(name)), "Datastore.Audit", "Datastore.Backup")
      );
      return new JsonResult(stores, { digest });
    },
  }),
  method({
    verb: "POST",
    path: "/config/datastore",
    description: "Create a datastore; the answer is the task that does it.",
    params: z.object({
      name: storeName(),
      path: text({ min: 1, max: 4096, pattern: /^\P{Cc}*$/u }),
      ...DATASTORE_FIELDS,
      "reuse-datastore": flag(),
    }),
    returns: z.string(),
    permission: { check: { path: ["datastore"], privs: ["Datastore.Allocate"], any: false } },
    protected: true,
    task: true,
    handler: async ({ name, path: given, "reuse-datastore": reuse, ...fields }, context) => {
      const path = normalize(given).replace(/(?<=.)\/+$/, "");
      if (!isAbsolute(path) || path === "/") {
        throw ParameterError.of("path", `expected an absolute path of a directory, got "${given}"`);
      }
      const { value } = context.services.config.datastores.read();
      requireSeparate(DATASTORE.list(value) as DatastoreConfig[], name, path);
      const config = { ...fields, comment: fields.comment?.trim(), name, path } as DatastoreConfig;
      return await startTask(context, "create-datastore", name, (log) => createStore(context, config, reuse, log));
    },
  }),
  method({
    verb: "GET",
    path: "/config/datastore/{name}",
    description: "Configuration of one datastore.",
    params: z.object({ name: storeName() }),
    returns: INFO,
    permission: { check: { path: ["datastore", "{name}"], privs: ["Datastore.Audit"], any: false } },
    handler: ({ name }, { services }) =>
      new JsonResult(configOf(services, name), { digest: services.config.datastores.read().digest }),
  }),
  method({
    verb: "PUT",
    path: "/config/datastore/{name}",
    description: "Change the configuration of a datastore.",
    params: z.object({
      name: storeName(),
      ...DATASTORE_FIELDS,
      delete: deleteList(DATASTORE_DELETABLE),
      digest: sha256Hex().optional(),
    }),
    permission: { check: { path: ["datastore", "{name}"], privs: ["Datastore.Modify"], any: false } },
    protected: true,
    handler: async ({ name, digest, delete: remove, ...fields }, { services }) => {
      await services.config.datastores.update((sections) => {
        const section = sections.get(DATASTORE.type, name);
        if (!section) throw new DozoError(`no such datastore '${name}'`);
        if (maintenanceOf(DATASTORE.read(section) as DatastoreConfig)?.type === "delete") {
          throw new DozoError(`datastore '${name}' is being deleted, its configuration cannot be changed`);
        }
        return sections.with(DATASTORE.change(section, { ...fields, comment: fields.comment?.trim() }, remove ?? []));
      }, digest);
    },
  }),
  method({
    verb: "DELETE",
    path: "/config/datastore/{name}",
    description: "Remove a datastore from the configuration, with `destroy-data` also its content.",
    params: z.object({
      name: storeName(),
      "keep-job-configs": flag(),
      "destroy-data": flag(),
      digest: sha256Hex().optional(),
    }),
    returns: z.string(),
    permission: { check: { path: ["datastore", "{name}"], privs: ["Datastore.Allocate"], any: false } },
    protected: true,
    task: true,
    handler: async ({ name, digest, "destroy-data": destroy }, context) => {
      const { services } = context;
      const { path } = configOf(services, name);
      await services.config.datastores.update(() => undefined, digest);
      return await startTask(context, "delete-datastore", name, async (log) => {
        const { read, write } = await services.datastores.operations.counts(name);
        if (read + write > 0) {
          throw new DozoError(
            `datastore '${name}' is in use: ${read} reading and ${write} writing operations are running`,
          );
        }
        await services.config.datastores.update((sections) =>
          sections.without((section) => section.type === DATASTORE.type && section.id === name)
        );
        await services.datastores.forget(name);
        log(`removed datastore '${name}' from the configuration`);
        if (destroy) await destroyData(path, log);
      });
    },
  }),
];
