import type { Tool } from "../framework/command.ts";
import { backupCommand } from "./backup.ts";
import { benchmark } from "./benchmark.ts";
import { catalogDump } from "./catalog.ts";
import { completeClient } from "./completion.ts";
import { keyCommands } from "./key.ts";
import { list } from "./list.ts";
import { loginCommands } from "./login.ts";
import { namespaceCommands } from "./namespace.ts";
import { restoreCommand } from "./restore.ts";
import { snapshotCommands } from "./snapshot.ts";
import { uploadLog } from "./upload_log.ts";

/** The backup client under the name it was called by. */
export function clientTool(name: string): Tool {
  return {
    name,
    commands: [
      backupCommand,
      restoreCommand,
      benchmark,
      catalogDump,
      uploadLog,
      list,
      ...loginCommands,
      ...namespaceCommands,
      ...snapshotCommands,
      ...keyCommands,
    ],
    aliases: {
      files: "snapshot files",
      forget: "snapshot forget",
      snapshots: "snapshot list",
      "upload-log": "snapshot upload-log",
    },
    complete: completeClient,
  };
}
