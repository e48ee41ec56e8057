/** `catalog dump` (row CL-131). */
import { z } from "zod";
import { concatBytes } from "../../base/bytes.ts";
import { quotePath } from "../../archive/path.ts";
import { text } from "../../config/schema/mod.ts";
import { type ListedEntry, listSnapshot } from "../../client/restore/catalog.ts";
import { SnapshotSource } from "../../client/restore/snapshot_source.ts";
import { openReaderSession } from "../../protocol/reader_client/reader_session.ts";
import { command } from "../framework/command.ts";
import { log, printOut } from "../framework/print.ts";
import { renderUtc } from "../output/render.ts";
import { connect, keyParams, namespaceOf, nsParam, repositoryParams } from "./common.ts";
import { openEncryption } from "./encryption.ts";
import { sessionTarget } from "./snapshot_choice.ts";

/** Characters that are collected before they are printed. */
const PRINT_BLOCK = 64 * 1024;
const PREFIX = new TextEncoder().encode("./");

/** `catalog dump`. */
export const catalogDump = command({
  path: "catalog dump",
  summary: "Dump catalog.",
  positional: ["snapshot"],
  params: z.object({
    ...repositoryParams,
    ...nsParam,
    ...keyParams,
    snapshot: text({ description: "Snapshot path." }),
  }),
  async run(params) {
    const encryption = await openEncryption({ keyfile: params.keyfile, keyfd: params.keyfd });
    const server = await connect(params);
    const target = await sessionTarget(server, params.snapshot, namespaceOf(params));
    encryption.notes.forEach((note) => log("info", note));
    const session = await openReaderSession(await server.address(), target);
    try {
      const source = await SnapshotSource.open(session, encryption.key?.key);
      source.manifest.checkKey(encryption.key?.key);
      let block = "";
      for await (const entry of listSnapshot(source)) {
        block += catalogLine(entry);
        if (block.length < PRINT_BLOCK) continue;
        printOut(block);
        block = "";
      }
      printOut(block);
    } finally {
      await session.close();
      server.close();
    }
  },
});

/** One entry: type letter, quoted path, and for files size and time. */
export function catalogLine({ type, path, size, mtime }: ListedEntry): string {
  const shown = quotePath(concatBytes(PREFIX, path));
  return type === "f" ? `f ${shown} ${size} ${renderUtc(mtime ?? 0)}\n` : `${type} ${shown}\n`;
}
