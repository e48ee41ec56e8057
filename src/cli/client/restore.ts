/** `restore`: one archive of a snapshot to a directory, a file or standard output (rows CL-132 … CL-137). */
import { z } from "zod";
import { DEFAULT_FEATURES, type Features } from "../../archive/features.ts";
import { humanSize } from "../../formats/human_size.ts";
import { text } from "../../config/schema/mod.ts";
import { SnapshotSource } from "../../client/restore/snapshot_source.ts";
import { restore } from "../../client/restore/restore.ts";
import { openReaderSession } from "../../protocol/reader_client/reader_session.ts";
import { flag } from "../flag.ts";
import { keepFreedBuffers } from "../../native/memory.ts";
import { command } from "../framework/command.ts";
import { log } from "../framework/print.ts";
import { withInterrupt } from "../interrupt.ts";
import { matchPatterns, parsePatterns } from "../patterns.ts";
import { Progress } from "../progress.ts";
import {
  connect,
  cryptModeParam,
  keyParams,
  namespaceOf,
  nsParam,
  rateLimitOf,
  rateParams,
  repositoryParams,
} from "./common.ts";
import { openEncryption } from "./encryption.ts";
import { sessionTarget } from "./snapshot_choice.ts";

const params = z.object({
  ...repositoryParams,
  ...nsParam,
  ...keyParams,
  ...cryptModeParam,
  ...rateParams,
  snapshot: text({ description: "Group/Snapshot path." }),
  "archive-name": text({ description: "Backup archive name." }),
  target: text({
    description:
      "Target directory path. Use '-' to write to standard output. Directory archives are then not unpacked.",
  }),
  "allow-existing-dirs": flag("Directories may exist already."),
  "ignore-acls": flag("Leave out access control lists."),
  "ignore-extract-device-errors": flag("Only warn where a device cannot be created."),
  "ignore-ownership": flag("Leave out owner and group."),
  "ignore-permissions": flag("Leave out permissions."),
  "ignore-xattrs": flag("Leave out extended attributes."),
  overwrite: flag("Replace files and links that exist."),
  "overwrite-files": flag("Replace files that exist."),
  "overwrite-hardlinks": flag("Replace what stands where a hard link belongs."),
  "overwrite-symlinks": flag("Replace what stands where a symbolic link belongs."),
  pattern: matchPatterns(),
  "prelude-target": text({ description: "File for the archive's list of exclude patterns." }).optional(),
});
type Params = z.output<typeof params>;

/** `restore`. */
export const restoreCommand = command({
  path: "restore",
  summary: "Restore backup repository.",
  positional: ["snapshot", "archive-name", "target"],
  params,
  async run(params) {
    keepFreedBuffers();
    const extract = extractOptions(params);
    const rate = rateLimitOf(params);
    const encryption = await openEncryption({
      keyfile: params.keyfile,
      keyfd: params.keyfd,
      cryptMode: params["crypt-mode"],
    });
    const key = encryption.key?.key;
    const server = await connect(params);
    const target = await sessionTarget(server, params.snapshot, namespaceOf(params));
    encryption.notes.forEach((note) => log("info", note));
    const state = { done: 0, total: 0 };
    const progress = new Progress(() => `restored ${humanSize(state.done)} of ${humanSize(state.total)}`);
    try {
      await withInterrupt(async (signal) => {
        const session = await openReaderSession(await server.address(), target, { signal });
        try {
          await restore({
            source: await SnapshotSource.open(session, key, rate),
            key,
            archive: params["archive-name"],
            target: params.target,
            extract,
            log: progress.say,
            progress: (done, total) => Object.assign(state, { done, total }),
            signal,
          });
        } finally {
          await session.close();
        }
      });
    } finally {
      progress.stop();
      server.close();
    }
  },
});

function extractOptions(params: Params) {
  return {
    features: featuresOf(params),
    allowExistingDirs: params["allow-existing-dirs"],
    overwriteFiles: params.overwrite || params["overwrite-files"],
    overwriteSymlinks: params.overwrite || params["overwrite-symlinks"],
    overwriteHardlinks: params.overwrite || params["overwrite-hardlinks"],
    ignoreDeviceErrors: params["ignore-extract-device-errors"],
    preludeTarget: params["prelude-target"],
    patterns: parsePatterns(params.pattern ?? []),
  };
}

function featuresOf(params: Params): Features {
  return {
    ...DEFAULT_FEATURES,
    acls: !params["ignore-acls"],
    xattrs: !params["ignore-xattrs"],
    fcaps: !params["ignore-xattrs"],
    ownership: !params["ignore-ownership"],
    permissions: !params["ignore-permissions"],
  };
}
