/** Checks that both kinds of session make before anything is opened. */
import type { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { checkForm } from "../../config/schema/mod.ts";
import { MAX_NAMESPACE_DEPTH, namespaceDepth } from "../../formats/namespace.ts";
import type { SnapshotRef } from "../../datastore/types.ts";
import type { UpgradeRequest } from "./types.ts";

/** Parameters of the upgrade request. Throws 400 listing the offending ones. */
export function upgradeParameters<S extends z.ZodObject>(schema: S, request: UpgradeRequest): z.output<S> {
  return checkForm(schema, new URLSearchParams(request.query));
}

/** Throws 400 for a namespace of more levels than there may be. */
export function checkDepth(ns: string): void {
  if (namespaceDepth(ns) > MAX_NAMESPACE_DEPTH) {
    throw new DozoError(`namespace too deep, ${MAX_NAMESPACE_DEPTH} >= max ${MAX_NAMESPACE_DEPTH}`);
  }
}

/** Throws 400 unless the request asks for `protocol` over HTTP/1. */
export function checkUpgrade(request: UpgradeRequest, protocol: string): void {
  if (request.upgrade === undefined) throw new DozoError("missing Upgrade header");
  if (request.upgrade !== protocol) throw new DozoError("invalid protocol name");
  if (!request.httpVersion.startsWith("1.")) throw new DozoError("unexpected http version: upgrades need HTTP/1.1");
}

/** ACL path of a namespace of a store. */
export function aclPathOf(store: string, ns: string): string[] {
  return ["datastore", store, ...(ns === "" ? [] : ns.split("/"))];
}

/** The reference that the parameters name. */
export function snapshotOf(
  parameters: { ns?: string; "backup-type": SnapshotRef["type"]; "backup-id": string; "backup-time": number },
): SnapshotRef {
  return {
    ns: parameters.ns ?? "",
    type: parameters["backup-type"],
    id: parameters["backup-id"],
    time: parameters["backup-time"],
  };
}
