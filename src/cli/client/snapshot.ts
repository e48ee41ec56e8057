/** `snapshot …`: listing, files, removal, notes and protection. */
import { z } from "zod";
import { compareSnapshots, formatSnapshot, parseGroup } from "../../formats/backup_path.ts";
import { bool, text } from "../../config/schema/mod.ts";
import { command } from "../framework/command.ts";
import { printOut } from "../framework/print.ts";
import { chosenFormat, formatJson, outputFormat, printList } from "../output/format.ts";
import { renderFiles, renderSize } from "../output/render.ts";
import { connect, namespaceOf, nsParam, repositoryParams, snapshotParams, storePath } from "./common.ts";
import { backupSnapshotOf, type FileRecord, type SnapshotRecord } from "./records.ts";

const snapshotArgument = { snapshot: text({ description: "Snapshot path: TYPE/ID/TIME." }) };

const snapshotList = command({
  path: "snapshot list",
  summary: "List backup snapshots.",
  positional: ["group"],
  params: z.object({
    ...repositoryParams,
    ...nsParam,
    group: text({ description: "Backup group: TYPE/ID." }).optional(),
    "output-format": outputFormat(),
  }),
  async run(params) {
    const group = params.group === undefined ? undefined : parseGroup(params.group);
    const server = await connect(params);
    const data = await server.get<SnapshotRecord[]>(storePath(server, "snapshots"), {
      ns: namespaceOf(params),
      "backup-type": group?.type,
      "backup-id": group?.id,
    });
    const rows = [...data].sort((a, b) => compareSnapshots(backupSnapshotOf(a), backupSnapshotOf(b)));
    printList(params["output-format"], rows, [
      { key: "backup-id", header: "snapshot", render: (_, row) => formatSnapshot(backupSnapshotOf(row)) },
      { key: "size", right: true, render: renderSize },
      { key: "files", render: renderFiles },
    ], data);
  },
});

const snapshotFiles = command({
  path: "snapshot files",
  summary: "List snapshot files.",
  positional: ["snapshot"],
  params: z.object({ ...repositoryParams, ...nsParam, ...snapshotArgument, "output-format": outputFormat() }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    const data = await server.get<FileRecord[]>(storePath(server, "files"), selected);
    const rows = [...data].sort((a, b) => a.filename < b.filename ? -1 : 1);
    printList(params["output-format"], rows, [
      { key: "filename" },
      { key: "crypt-mode" },
      { key: "size", right: true },
    ], data);
  },
});

const snapshotForget = command({
  path: "snapshot forget",
  summary: "Forget (remove) backup snapshots.",
  positional: ["snapshot"],
  params: z.object({ ...repositoryParams, ...nsParam, ...snapshotArgument }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    await server.delete(storePath(server, "snapshots"), selected);
  },
});

const notesShow = command({
  path: "snapshot notes show",
  summary: "Show notes.",
  positional: ["snapshot"],
  params: z.object({ ...repositoryParams, ...nsParam, ...snapshotArgument, "output-format": outputFormat() }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    const notes = await server.get<string>(storePath(server, "notes"), selected);
    printValue(params["output-format"], "notes", notes, notes);
  },
});

const notesUpdate = command({
  path: "snapshot notes update",
  summary: "Update notes.",
  positional: ["snapshot", "notes"],
  params: z.object({
    ...repositoryParams,
    ...nsParam,
    ...snapshotArgument,
    notes: text({ description: "The notes." }),
  }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    await server.put(storePath(server, "notes"), { ...selected, notes: params.notes });
  },
});

const protectedShow = command({
  path: "snapshot protected show",
  summary: "Show protection status.",
  positional: ["snapshot"],
  params: z.object({ ...repositoryParams, ...nsParam, ...snapshotArgument, "output-format": outputFormat() }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    const state = await server.get<boolean>(storePath(server, "protected"), selected);
    printValue(params["output-format"], "protected", state, String(state));
  },
});

const protectedUpdate = command({
  path: "snapshot protected update",
  summary: "Update protection status of a snapshot.",
  positional: ["snapshot", "protected"],
  params: z.object({ ...repositoryParams, ...nsParam, ...snapshotArgument, protected: bool() }),
  async run(params) {
    const selected = snapshotParams(params.snapshot, namespaceOf(params));
    const server = await connect(params);
    await server.put(storePath(server, "protected"), { ...selected, protected: params.protected });
  },
});

/** A single value: as text and a newline, or as an object with one member. */
function printValue(option: Parameters<typeof chosenFormat>[0], name: string, value: unknown, shown: string): void {
  const format = chosenFormat(option);
  if (format === undefined) return;
  printOut(format === "text" ? `${shown}\n` : formatJson({ [name]: value }, format === "json-pretty"));
}

/** All `snapshot` commands but the log upload. */
export const snapshotCommands = [
  snapshotList,
  snapshotFiles,
  snapshotForget,
  notesShow,
  notesUpdate,
  protectedShow,
  protectedUpdate,
];
