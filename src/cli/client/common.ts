/** Options and helpers that the client commands share. */
import { z } from "zod";
import { errorMessage } from "../../base/errors.ts";
import { parseGroup, parseSnapshot } from "../../formats/backup_path.ts";
import { parseByteSize } from "../../formats/byte_size.ts";
import { choice, integer, ParameterError, text } from "../../config/schema/mod.ts";
import * as common from "../../config/schema/common.ts";
import { REPOSITORY_PATTERN, resolveRepository, SERVER_PATTERN } from "../../client/repository.ts";
import { readCredential } from "../../client/secrets.ts";
import { type CallParams, Server } from "../../client/server.ts";
import { RateLimit } from "../../client/upload/rate_limit.ts";
import { terminalPrompts } from "../terminal.ts";

/** `--repository` and the options that replace it. */
export const repositoryParams = {
  repository: text({
    max: 256,
    pattern: REPOSITORY_PATTERN,
    description: "Repository: [[user@realm[!token]@]server[:port]:]datastore. Default: PBS_REPOSITORY.",
  }).optional(),
  server: text({ max: 256, pattern: SERVER_PATTERN, description: "Name or address of the server." }).optional(),
  port: integer(1, 65535).optional().meta({ default: 8007, description: "Port of the server." }),
  datastore: common.storeName().optional().meta({ description: "Name of the datastore." }),
  "auth-id": common.authid().optional().meta({ description: "User or API token." }),
};

/** `--ns`. */
export const nsParam = {
  ns: common.namespace().optional().meta({ description: "Namespace. Default: PBS_NAMESPACE." }),
};

/** `--keyfile` and `--keyfd`. */
export const keyParams = {
  keyfile: text({ description: "Path to the encryption key." }).optional(),
  keyfd: integer(0).optional().meta({ description: "File descriptor from which the encryption key is read." }),
};

/** `--crypt-mode`; its documented default only counts when there is a key. */
export const cryptModeParam = {
  "crypt-mode": choice(["none", "encrypt", "sign-only"]).optional().meta({
    default: "encrypt",
    description: "Whether data is encrypted, or its list signed only. Without a key: none.",
  }),
};

/** `--rate` and `--burst`. */
export const rateParams = {
  rate: text({ min: 1, max: 64, description: "Bytes per second at most, such as 10 MiB." }).optional(),
  burst: text({ min: 1, max: 64, description: "Bytes that may pass at once after a pause." }).optional(),
};

const repositoryObject = z.object(repositoryParams);
/** Values of {@link repositoryParams}. */
export type RepositoryParams = z.output<typeof repositoryObject>;

/** The repository that options and environment name. */
export function repositoryOf(params: RepositoryParams) {
  const parts = {
    server: params.server,
    port: params.port,
    datastore: params.datastore,
    authId: params["auth-id"],
  };
  return resolveRepository(
    { repository: params.repository, parts },
    (name) => Deno.env.get(name),
    readCredential("proxmox-backup-client.repository"),
  );
}

/** True when options, environment or credentials name a repository. */
export function hasRepository(params: RepositoryParams): boolean {
  try {
    repositoryOf(params);
    return true;
  } catch {
    return false;
  }
}

/** Logs in to the repository. */
export function connect(params: RepositoryParams): Promise<Server> {
  return Server.login(repositoryOf(params), terminalPrompts());
}

/** API path below the repository's datastore. */
export function storePath(server: Server, path: string): string {
  return `admin/datastore/${server.repository.datastore}/${path}`;
}

/** The limit that `--rate` and `--burst` ask for. Throws for a rate that cannot work. */
export function rateLimitOf(params: { readonly rate?: string; readonly burst?: string }): RateLimit | undefined {
  if (params.rate === undefined) return undefined;
  return new RateLimit(
    bytesOf("rate", params.rate),
    params.burst === undefined ? undefined : bytesOf("burst", params.burst),
  );
}

function bytesOf(name: string, given: string): number {
  try {
    return parseByteSize(given).bytes;
  } catch (error) {
    throw ParameterError.of(name, errorMessage(error));
  }
}

/** The namespace option, or `PBS_NAMESPACE`; undefined for the root. */
export function namespaceOf(params: { readonly ns?: string }): string | undefined {
  return (params.ns ?? Deno.env.get("PBS_NAMESPACE")) || undefined;
}

/** Call parameters that name a group. */
export function groupParams(group: string, ns: string | undefined): CallParams {
  const { type, id } = parseGroup(group);
  return { ns, "backup-type": type, "backup-id": id };
}

/** Call parameters that name a snapshot. */
export function snapshotParams(snapshot: string, ns: string | undefined): CallParams {
  const { type, id, time } = parseSnapshot(snapshot);
  return { ns, "backup-type": type, "backup-id": id, "backup-time": time };
}
