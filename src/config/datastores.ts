/** `datastore.cfg` (`spec/config-files.md` §13). */
import { z } from "zod";
import { errorMessage } from "../base/errors.ts";
import { parsePropertyString } from "../formats/property_string.ts";
import { bool, choice, comment, integer, text, userid } from "./schema/mod.ts";
import { checkForm } from "./schema/check.ts";
import { SectionType } from "./section_type.ts";

/** A property string whose items obey `schema`; the text is kept as it was given. */
function propertyText(schema: z.ZodObject, defaultKey?: string): z.ZodString {
  return text({
    format: (value) => {
      try {
        checkForm(schema, parsePropertyString(value, { defaultKey }));
        return undefined;
      } catch (error) {
        return errorMessage(error).replace(/additional properties\.$/, "additional properties");
      }
    },
  });
}

const TUNING = z.object({
  "chunk-order": choice(["none", "inode"]).optional(),
  "sync-level": choice(["none", "file", "filesystem"]).optional(),
  "gc-atime-safety-check": bool().optional(),
  "gc-atime-cutoff": integer(1, 2880).optional(),
  "gc-cache-capacity": integer(0, 8 << 20).optional(),
  "default-verification-workers": integer(1, 32).optional(),
  "default-verification-readers": integer(1, 32).optional(),
});

const MAINTENANCE_TYPES = ["read-only", "offline", "delete", "unmount", "s3-refresh"] as const;

const MAINTENANCE = z.object({
  type: choice(MAINTENANCE_TYPES),
  message: text({ max: 64, pattern: /^\P{Cc}*$/u }).optional(),
});

const when = () => choice(["never", "always", "error"]).optional();
const NOTIFY = z.object({ gc: when(), verify: when(), sync: when(), prune: when() });
const schedule = () => text({ min: 1, max: 256, pattern: /^\P{Cc}*$/u });

/** Keys of a datastore that updates may set. */
export const DATASTORE_FIELDS = {
  comment: comment().optional(),
  "gc-schedule": schedule().optional(),
  "verify-new": bool().optional(),
  "notify-user": userid().optional(),
  notify: propertyText(NOTIFY).optional(),
  "notification-mode": choice(["legacy-sendmail", "notification-system"]).optional(),
  tuning: propertyText(TUNING).optional(),
  "maintenance-mode": propertyText(MAINTENANCE, "type").optional(),
};

/** Legacy prune settings that may still stand in the file. */
const LEGACY_FIELDS = {
  "prune-schedule": schedule().optional(),
  "keep-last": integer(1).optional(),
  "keep-hourly": integer(1).optional(),
  "keep-daily": integer(1).optional(),
  "keep-weekly": integer(1).optional(),
  "keep-monthly": integer(1).optional(),
  "keep-yearly": integer(1).optional(),
};

/** Names that an update may delete. */
export const DATASTORE_DELETABLE = [
  "comment",
  "gc-schedule",
  "verify-new",
  "notify-user",
  "notify",
  "notification-mode",
  "tuning",
  "maintenance-mode",
] as const;

const FILE_FIELDS = {
  ...DATASTORE_FIELDS,
  ...LEGACY_FIELDS,
  // Read leniently: an unknown mode must not hide the store (§13).
  "maintenance-mode": text().optional(),
  path: text({ min: 1, max: 4096 }),
  backend: text().optional(),
  "backing-device": text().optional(),
  "gc-on-unmount": bool().optional(),
  "notification-thresholds": text().optional(),
  "counter-reset-schedule": text().optional(),
};

export const DATASTORE = new SectionType("datastore", "name", z.object(FILE_FIELDS));

/** A datastore as its section says. */
export type DatastoreConfig = z.output<typeof DATASTORE.schema> & { readonly name: string };

/** A maintenance mode in force. */
export interface Maintenance {
  readonly type: typeof MAINTENANCE_TYPES[number];
  readonly message?: string;
}

function decodePercent(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The maintenance mode of a store, or undefined when it has none or one that nobody knows. */
export function maintenanceOf(config: DatastoreConfig): Maintenance | undefined {
  const value = config["maintenance-mode"];
  if (value === undefined) return undefined;
  try {
    const { type, message } = checkForm(MAINTENANCE, parsePropertyString(value, { defaultKey: "type" }));
    return { type, ...(message === undefined ? {} : { message: decodePercent(message) }) };
  } catch {
    return undefined;
  }
}

/** When chunks and files are forced to disk: the `sync-level` of `tuning`, default `filesystem`. */
export function syncLevelOf(config: DatastoreConfig): "none" | "file" | "filesystem" {
  if (config.tuning === undefined) return "filesystem";
  return checkForm(TUNING, parsePropertyString(config.tuning))["sync-level"] ?? "filesystem";
}
