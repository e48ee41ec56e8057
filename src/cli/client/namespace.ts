/** `namespace …` and `group forget`. */
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { bool, integer } from "../../config/schema/mod.ts";
import { authid, namespace } from "../../config/schema/common.ts";
import { text } from "../../config/schema/mod.ts";
import { command } from "../framework/command.ts";
import { printOut } from "../framework/print.ts";
import { chosenFormat, formatJson, outputFormat } from "../output/format.ts";
import { connect, groupParams, namespaceOf, nsParam, repositoryParams, storePath } from "./common.ts";

const namespaceArgument = { ns: namespace().optional() };

function requiredNamespace(params: { readonly ns?: string }): string {
  const ns = namespaceOf(params);
  if (ns === undefined) throw new DozoError("root namespace is not allowed here: name a namespace");
  return ns;
}

const namespaceList = command({
  path: "namespace list",
  summary: "List namespaces in a repository.",
  positional: ["ns"],
  params: z.object({
    ...repositoryParams,
    ...namespaceArgument,
    "max-depth": integer(0).optional(),
    "output-format": outputFormat(),
  }),
  async run(params) {
    const server = await connect(params);
    const data = await server.get<{ ns: string }[]>(storePath(server, "namespace"), {
      parent: namespaceOf(params),
      "max-depth": params["max-depth"],
    });
    const format = chosenFormat(params["output-format"]);
    if (format === undefined) return;
    if (format !== "text") printOut(formatJson({ data }, format === "json-pretty"));
    else for (const { ns } of data) if (ns !== "") printOut(`${ns}\n`);
  },
});

const namespaceCreate = command({
  path: "namespace create",
  summary: "Create a new namespace.",
  positional: ["ns"],
  params: z.object({ ...repositoryParams, ...namespaceArgument }),
  async run(params) {
    const components = requiredNamespace(params).split("/");
    const name = components.pop() as string;
    const server = await connect(params);
    await server.post(storePath(server, "namespace"), { parent: components.join("/") || undefined, name });
  },
});

const namespaceDelete = command({
  path: "namespace delete",
  summary: "Delete an existing namespace.",
  positional: ["ns"],
  params: z.object({ ...repositoryParams, ...namespaceArgument, "delete-groups": bool().optional() }),
  async run(params) {
    const ns = requiredNamespace(params);
    const server = await connect(params);
    await server.delete(storePath(server, "namespace"), { ns, "delete-groups": params["delete-groups"] });
  },
});

const groupForget = command({
  path: "group forget",
  summary: "Forget (remove) backup group with all its snapshots.",
  positional: ["group"],
  params: z.object({ ...repositoryParams, ...nsParam, group: text({ description: "Backup group: TYPE/ID." }) }),
  async run(params) {
    const selected = groupParams(params.group, namespaceOf(params));
    const server = await connect(params);
    await server.delete(storePath(server, "groups"), selected);
  },
});

const changeOwner = command({
  path: "change-owner",
  summary: "Change owner of a backup group.",
  positional: ["group", "new-owner"],
  params: z.object({
    ...repositoryParams,
    ...nsParam,
    group: text({ description: "Backup group: TYPE/ID." }),
    "new-owner": authid(),
  }),
  async run(params) {
    const selected = groupParams(params.group, namespaceOf(params));
    const server = await connect(params);
    await server.post(storePath(server, "change-owner"), { ...selected, "new-owner": params["new-owner"] });
  },
});

/** Commands on namespaces and whole groups. */
export const namespaceCommands = [namespaceList, namespaceCreate, namespaceDelete, groupForget, changeOwner];
