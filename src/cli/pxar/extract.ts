import { readFileSync } from "node:fs";
import { z } from "zod";
import { extractArchive } from "../../archive/extract.ts";
import { DozoError, errorMessage } from "../../base/errors.ts";
import type { Pattern } from "../../formats/pattern.ts";
import { PxarDecoder } from "../../formats/pxar/mod.ts";
import { text } from "../../config/schema/mod.ts";
import { flag } from "../flag.ts";
import { command } from "../framework/command.ts";
import { log } from "../framework/print.ts";
import { withInterrupt } from "../interrupt.ts";
import { matchPatterns, parsePatterns } from "../patterns.ts";
import { featureParams, featuresOf } from "./features.ts";
import { FileSource } from "./file_source.ts";

/** `pxar extract` (rows PX-08, PX-09, PX-13, PX-14, PX-16). */
export const extract = command({
  path: "extract",
  summary: "Extract an archive.",
  positional: ["archive", "target"],
  params: z.object({
    ...featureParams,
    archive: text({ description: "Archive name. Use '-' to read from standard input." }),
    target: text({ description: "Target directory. The current directory by default." }).optional(),
    "allow-existing-dirs": flag("Directories may exist already."),
    "files-from": text({ description: "File with patterns, one a line." }).optional(),
    overwrite: flag("Replace files and links that exist."),
    "overwrite-files": flag("Replace files that exist."),
    "overwrite-hardlinks": flag("Replace what stands where a hard link belongs."),
    "overwrite-symlinks": flag("Replace what stands where a symbolic link belongs."),
    pattern: matchPatterns(),
    "payload-input": text({ description: "Payload file of a split archive." }).optional(),
    "prelude-target": text({ description: "File for the list of exclude patterns." }).optional(),
    strict: flag("Stop at the first error."),
  }),
  async run(params) {
    const patterns = [...patternsFrom(params["files-from"]), ...parsePatterns(params.pattern ?? [])];
    const archive = FileSource.open(params.archive);
    const payload = params["payload-input"] === undefined ? undefined : FileSource.open(params["payload-input"]);
    const stats = await withInterrupt((signal) =>
      extractArchive(new PxarDecoder(archive, { payload }), {
        target: params.target ?? ".",
        features: featuresOf(params),
        // Extracting where one stands must not complain that the place exists.
        allowExistingDirs: params["allow-existing-dirs"] || params.target === undefined,
        overwriteFiles: params.overwrite || params["overwrite-files"],
        overwriteSymlinks: params.overwrite || params["overwrite-symlinks"],
        overwriteHardlinks: params.overwrite || params["overwrite-hardlinks"],
        patterns,
        preludeTarget: params["prelude-target"],
        strict: params.strict,
        log: (line) => log("error", line, "PXAR_LOG"),
        signal,
      })
    );
    if (stats.errors > 0) throw new DozoError("there were errors");
  },
});

/** Patterns of a list file: one a line, without empty lines and comments. */
function patternsFrom(path: string | undefined): Pattern[] {
  if (path === undefined) return [];
  let content: string;
  try {
    content = new TextDecoder().decode(readFileSync(path));
  } catch (error) {
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
  return parsePatterns(content.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#")));
}
