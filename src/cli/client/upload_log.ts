/** `snapshot upload-log` (row CL-139). */
import { readFileSync } from "node:fs";
import { z } from "zod";
import { DozoError, errorMessage } from "../../base/errors.ts";
import { encodeBlob, MAX_BLOB_SIZE } from "../../formats/blob.ts";
import { text } from "../../config/schema/mod.ts";
import { command } from "../framework/command.ts";
import { log } from "../framework/print.ts";
import {
  connect,
  cryptModeParam,
  keyParams,
  namespaceOf,
  nsParam,
  repositoryParams,
  snapshotParams,
  storePath,
} from "./common.ts";
import { openEncryption } from "./encryption.ts";

/** `snapshot upload-log`. */
export const uploadLog = command({
  path: "snapshot upload-log",
  summary: "Upload backup log file.",
  positional: ["snapshot", "logfile"],
  params: z.object({
    ...repositoryParams,
    ...nsParam,
    ...keyParams,
    ...cryptModeParam,
    snapshot: text({ description: "Snapshot path: TYPE/ID/TIME." }),
    logfile: text({ description: "The path to the log file you want to upload." }),
  }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const encryption = await openEncryption({
      keyfile: params.keyfile,
      keyfd: params.keyfd,
      cryptMode: params["crypt-mode"],
    });
    encryption.notes.forEach((note) => log("info", note));
    const key = encryption.mode === "encrypt" ? encryption.key?.key : undefined;
    const blob = await encodeBlob(readLog(params.logfile), { key });
    const server = await connect(params);
    await server.upload(storePath(server, "upload-backup-log"), selected, blob);
    server.close();
  },
});

function readLog(path: string): Uint8Array {
  try {
    const { size } = Deno.statSync(path);
    if (size <= MAX_BLOB_SIZE) return readFileSync(path);
    throw new DozoError(`it has ${size} bytes, and at most ${MAX_BLOB_SIZE} can be stored`);
  } catch (error) {
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
}
