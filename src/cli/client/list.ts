import { z } from "zod";
import { compareGroups, formatGroup } from "../../formats/backup_path.ts";
import { formatSnapshot } from "../../formats/backup_path.ts";
import { command } from "../framework/command.ts";
import { outputFormat, printList } from "../output/format.ts";
import { renderFiles } from "../output/render.ts";
import { connect, namespaceOf, nsParam, repositoryParams, storePath } from "./common.ts";
import { backupGroupOf, type GroupRecord } from "./records.ts";

/** `list`: the groups of a namespace. */
export const list = command({
  path: "list",
  summary: "List backup groups.",
  params: z.object({ ...repositoryParams, ...nsParam, "output-format": outputFormat() }),
  async run(params) {
    const server = await connect(params);
    const data = await server.get<GroupRecord[]>(storePath(server, "groups"), { ns: namespaceOf(params) });
    const rows = [...data].sort((a, b) => compareGroups(backupGroupOf(a), backupGroupOf(b)));
    printList(params["output-format"], rows, [
      { key: "backup-id", header: "group", render: (_, row) => formatGroup(backupGroupOf(row)) },
      {
        key: "last-backup",
        header: "last snapshot",
        render: (time, row) => formatSnapshot({ ...backupGroupOf(row), time: Number(time) }),
      },
      { key: "backup-count", right: true },
      { key: "files", render: renderFiles },
    ], data);
  },
});
