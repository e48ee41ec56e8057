/** `backup`: makes a snapshot of directories, images and small files (rows CL-40 … CL-58, CL-80 … CL-86). */
import { hostname } from "node:os";
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { type BackupType, formatSnapshot } from "../../formats/backup_path.ts";
import { humanSize } from "../../formats/human_size.ts";
import { backupId, backupTime, backupType, choice, integer, list, text } from "../../config/schema/mod.ts";
import { backup, type BackupOptions } from "../../client/backup/backup.ts";
import { BACKUP_SPEC_PATTERN, type BackupSpec, checkSources, parseBackupSpecs } from "../../client/backup/spec.ts";
import { formatRepository } from "../../client/repository.ts";
import { flag } from "../flag.ts";
import { keepFreedBuffers } from "../../native/memory.ts";
import { command } from "../framework/command.ts";
import { log } from "../framework/print.ts";
import { withInterrupt } from "../interrupt.ts";
import { localOffset, renderTime } from "../output/render.ts";
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
import { type Encryption, openEncryption } from "./encryption.ts";

/** Directory entries on one path that are held in memory. */
const DEFAULT_ENTRIES = 1024 * 1024;

const chunkSize = () =>
  integer(64, 4096).refine((size) => (size & (size - 1)) === 0, "value must be a power of two").default(4096);

const params = z.object({
  ...repositoryParams,
  ...nsParam,
  ...keyParams,
  ...cryptModeParam,
  ...rateParams,
  backupspec: list(text({
    pattern: BACKUP_SPEC_PATTERN,
    description: "List of backup source specifications: [<archive-name>.<type>:<source-path>]",
  })),
  "all-file-systems": flag("Enter everything that is mounted below the source."),
  "backup-id": backupId().optional().meta({ description: "Backup ID. Default: the host name." }),
  "backup-time": backupTime().optional().meta({ description: "Backup time in seconds since 1970. Default: now." }),
  "backup-type": backupType().optional().meta({ description: "Backup type. Default: host." }),
  "change-detection-mode": choice(["legacy", "data", "metadata"]).default("legacy").meta({
    description: "One archive that is read in full, two streams, or two streams without reading unchanged files.",
  }),
  "chunk-size": chunkSize().meta({ description: "Average chunk size of directory archives in KiB, a power of two." }),
  "dry-run": flag("Only tell what would be uploaded."),
  "entries-max": integer().default(DEFAULT_ENTRIES).meta({
    description: "Most directory entries that are held in memory.",
  }),
  exclude: list(text({ description: "List of paths or patterns for matching files to exclude." })).optional(),
  "include-dev": list(text({ description: "Path to mountpoint that is included in the backup." })).optional(),
  "master-pubkey-fd": integer(0).optional().meta({ description: "File descriptor of the public master key." }),
  "master-pubkey-file": text({ description: "Path to the public master key, with which the key is stored." })
    .optional(),
  "no-cache": flag("A server over an object store keeps the chunks out of its cache."),
  "skip-e2big-xattr": flag("Leave out extended attributes that the kernel finds too big."),
  "skip-lost-and-found": flag("Leave out lost+found directories."),
});
type Params = z.output<typeof params>;

/** `backup`. */
export const backupCommand = command({
  path: "backup",
  summary: "Create (host) backup.",
  positional: ["backupspec"],
  params,
  async run(params) {
    keepFreedBuffers();
    const specs = parseBackupSpecs(params.backupspec);
    checkSources(specs);
    if (params["all-file-systems"] && params["include-dev"]) {
      throw new DozoError("option 'all-file-systems' conflicts with option 'include-dev'");
    }
    const rate = rateLimitOf(params);
    const encryption = await openEncryption({
      keyfile: params.keyfile,
      keyfd: params.keyfd,
      masterPubkeyFile: params["master-pubkey-file"],
      masterPubkeyFd: params["master-pubkey-fd"],
      cryptMode: params["crypt-mode"],
    });
    const server = await connect(params);
    const started = performance.now();
    const target = {
      store: server.repository.datastore,
      ns: namespaceOf(params),
      backupType: params["backup-type"] ?? ("host" as BackupType),
      backupId: params["backup-id"] ?? hostname(),
      backupTime: params["backup-time"] ?? Math.floor(Date.now() / 1000),
    };
    const snapshot = formatSnapshot({ type: target.backupType, id: target.backupId, time: target.backupTime });
    log("info", `Starting backup: ${target.ns ? `[${target.ns}]:` : ""}${snapshot}`);
    log("info", `Client name: ${hostname()}`);
    if (params["dry-run"]) {
      announce(specs, params, formatRepository(server.repository), encryption);
      return;
    }
    log("info", `Starting backup protocol: ${renderTime(Date.now() / 1000)}`);
    encryption.notes.forEach((note) => log("info", note));
    const counters = { processed: 0, injected: 0, sent: 0 };
    const progress = new Progress(() => progressLine(counters, (performance.now() - started) / 1000));
    try {
      await withInterrupt((signal) =>
        backup({
          server,
          target,
          specs,
          cryptMode: encryption.mode,
          key: encryption.key,
          masterKey: encryption.masterKey,
          ...archiveOptions(params),
          rate,
          counters,
          utcOffset: localOffset,
          log: progress.say,
          signal,
        })
      );
    } finally {
      progress.stop();
      server.close();
    }
    log("info", `Duration: ${((performance.now() - started) / 1000).toFixed(2)}s`);
    log("info", `End Time: ${renderTime(Date.now() / 1000)}`);
  },
});

function archiveOptions(params: Params): Pick<BackupOptions, "changeDetection" | "chunkSize" | "walk" | "noCache"> {
  return {
    changeDetection: params["change-detection-mode"],
    chunkSize: params["chunk-size"] * 1024,
    noCache: params["no-cache"],
    walk: {
      excludes: params.exclude,
      skipLostAndFound: params["skip-lost-and-found"],
      includeDev: params["include-dev"],
      allFileSystems: params["all-file-systems"],
      entriesMax: params["entries-max"],
      skipE2bigXattr: params["skip-e2big-xattr"],
    },
  };
}

/** What a dry run tells instead of connecting a session. */
function announce(specs: readonly BackupSpec[], params: Params, repository: string, encryption: Encryption): void {
  encryption.notes.forEach((note) => log("info", note));
  const kinds = { pxar: "directory", img: "image", conf: "config file", log: "log file" } as const;
  const endings = { pxar: "didx", img: "fidx", conf: "blob", log: "blob" } as const;
  for (const { name, type, target, path } of specs) {
    const split = type === "pxar" && params["change-detection-mode"] !== "legacy";
    const stored = split ? `${name}.mpxar.didx` : `${target}.${endings[type]}`;
    log("info", `Would upload ${kinds[type]} '${path}' to '${repository}' as ${stored}`);
  }
}

function progressLine(counters: { processed: number; injected: number; sent: number }, seconds: number): string {
  const total = counters.processed + counters.injected;
  const rate = humanSize(Math.round(total / Math.max(seconds, 0.001)));
  return `processed ${humanSize(total)} in ${seconds.toFixed(0)}s (${rate}/s), uploaded ${humanSize(counters.sent)}`;
}
