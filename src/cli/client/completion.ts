/** Completion of repositories, groups, snapshots, archives and namespaces (row CL-189). Never asks for anything. */
import { archiveName } from "../../formats/archive_name.ts";
import { formatGroup, formatSnapshot } from "../../formats/backup_path.ts";
import { parseRepository, resolveRepository } from "../../client/repository.ts";
import { knownRepositories } from "../../client/repository_list.ts";
import { readCredential } from "../../client/secrets.ts";
import { type Prompts, Server } from "../../client/server.ts";
import { DozoError } from "../../base/errors.ts";
import type { Command } from "../framework/command.ts";
import { snapshotParams, storePath } from "./common.ts";
import { backupGroupOf, backupSnapshotOf, type FileRecord, type GroupRecord, type SnapshotRecord } from "./records.ts";

type Given = Record<string, string[]>;

const nobody = () => Promise.reject(new DozoError("completion asks nobody"));
const SILENT: Prompts = { interactive: false, password: nobody, confirm: nobody, say: () => {} };

/** Candidates for the value of a parameter. */
export async function completeClient(_command: Command, parameter: string, given: Given): Promise<string[]> {
  switch (parameter) {
    case "repository":
      return knownRepositories();
    case "chunk-size":
      return ["64", "128", "256", "512", "1024", "2048", "4096"];
    case "group":
      return await groups(given);
    case "snapshot":
      return [...await groups(given), ...await snapshots(given)];
    case "archive-name":
      return await archives(given);
    case "ns":
      return await namespaces(given);
    default:
      return [];
  }
}

async function login(given: Given): Promise<Server> {
  const text = given["repository"]?.[0];
  const env = (name: string) => Deno.env.get(name);
  const repository = text
    ? parseRepository(text)
    : resolveRepository({ parts: {} }, env, readCredential("proxmox-backup-client.repository"));
  return await Server.login(repository, SILENT);
}

function ns(given: Given): string | undefined {
  return given["ns"]?.[0] ?? (Deno.env.get("PBS_NAMESPACE") || undefined);
}

async function groups(given: Given): Promise<string[]> {
  const server = await login(given);
  const rows = await server.get<GroupRecord[]>(storePath(server, "groups"), { ns: ns(given) });
  return rows.map((row) => formatGroup(backupGroupOf(row)));
}

async function snapshots(given: Given): Promise<string[]> {
  const server = await login(given);
  const rows = await server.get<SnapshotRecord[]>(storePath(server, "snapshots"), { ns: ns(given) });
  return rows.map((row) => formatSnapshot(backupSnapshotOf(row)));
}

async function archives(given: Given): Promise<string[]> {
  const snapshot = given["snapshot"]?.[0];
  if (!snapshot) return [];
  const server = await login(given);
  const rows = await server.get<FileRecord[]>(storePath(server, "files"), snapshotParams(snapshot, ns(given)));
  return rows.map(({ filename }) => archiveName(filename).replace(/\.[mp]pxar$/, ".pxar"));
}

async function namespaces(given: Given): Promise<string[]> {
  const server = await login(given);
  const rows = await server.get<{ ns: string }[]>(storePath(server, "namespace"));
  return rows.map((row) => row.ns).filter((name) => name !== "");
}
