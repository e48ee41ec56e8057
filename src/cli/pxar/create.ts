import { z } from "zod";
import { createArchive } from "../../archive/create.ts";
import { DozoError } from "../../base/errors.ts";
import { integer, list, text } from "../../config/schema/mod.ts";
import { flag } from "../flag.ts";
import { command } from "../framework/command.ts";
import { log } from "../framework/print.ts";
import { withInterrupt } from "../interrupt.ts";
import { featureParams, featuresOf } from "./features.ts";
import { FileSink } from "./file_sink.ts";

/** Directory entries on one path that are held in memory. */
const DEFAULT_ENTRIES = 1024 * 1024;

/** `pxar create` (rows PX-01 … PX-07, PX-12, PX-14). */
export const create = command({
  path: "create",
  summary: "Create a new .pxar archive.",
  positional: ["archive", "source"],
  params: z.object({
    ...featureParams,
    archive: text({ description: "Archive name." }),
    source: text({ description: "Source directory." }),
    "all-file-systems": flag("Enter everything that is mounted below the source."),
    "entries-max": integer(0).default(DEFAULT_ENTRIES),
    exclude: list(text({ description: "List of paths or pattern matching files to exclude." })).optional(),
    "payload-output": text({ description: "Write a split archive, its contents to this file." }).optional(),
  }),
  async run(params) {
    if (params.archive === "-") throw new DozoError("an archive cannot be written to standard output: name a file");
    const archive = new FileSink(params.archive);
    const sinks = [archive];
    try {
      const payload = params["payload-output"] === undefined ? undefined : new FileSink(params["payload-output"]);
      if (payload) sinks.push(payload);
      await withInterrupt((signal) =>
        createArchive({
          source: params.source,
          archive,
          payload,
          excludes: params.exclude,
          allFileSystems: params["all-file-systems"],
          entriesMax: params["entries-max"],
          features: featuresOf(params),
          log: (line) => log("info", line, "PXAR_LOG"),
          signal,
        })
      );
      sinks.forEach((sink) => sink.finish());
    } catch (error) {
      sinks.forEach((sink) => sink.discard());
      throw error;
    }
  },
});
