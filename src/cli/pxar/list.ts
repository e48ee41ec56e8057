import { z } from "zod";
import { listArchive } from "../../archive/list.ts";
import { PxarDecoder } from "../../formats/pxar/mod.ts";
import { text } from "../../config/schema/mod.ts";
import { command } from "../framework/command.ts";
import { logs, printOut } from "../framework/print.ts";
import { FileSource } from "./file_source.ts";

/** Characters that are collected before they are printed. */
const PRINT_BLOCK = 64 * 1024;

/** `pxar list` (rows PX-10, PX-14). */
export const list = command({
  path: "list",
  summary: "List the contents of an archive.",
  positional: ["archive"],
  params: z.object({
    archive: text({ description: "Archive name." }),
    "payload-input": text({ description: "Payload file of a split archive." }).optional(),
  }),
  async run(params) {
    const archive = FileSource.open(params.archive);
    const payload = params["payload-input"] === undefined ? undefined : FileSource.open(params["payload-input"]);
    const metadataOnly = !payload && /\.mpxar$/.test(params.archive);
    let block = "";
    const print = (line: string) => {
      block += `${line}\n`;
      if (block.length < PRINT_BLOCK) return;
      printOut(block);
      block = "";
    };
    try {
      await listArchive(new PxarDecoder(archive, { payload, metadataOnly }), print, logs("debug", "PXAR_LOG"));
    } finally {
      printOut(block);
    }
  },
});
