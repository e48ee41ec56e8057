/** The time zone of the machine, in which schedules and prune periods are meant (`spec/config-files.md` §7, §10). */
import { join } from "node:path";
import { TimeZone } from "../formats/calendar/time_zone.ts";

let known: TimeZone | undefined;

/**
 * The zone set now, so that a change takes effect without a restart: `TZ`, else the link `etc/localtime`, else the name in
 * `etc/timezone`, else what the runtime found when it started. `root` is where `etc` lies.
 */
export function serverTimeZone(root = "/"): TimeZone {
  for (const id of [Deno.env.get("TZ")?.replace(/^:/, ""), linkedZone(root), namedZone(root)]) {
    if (!id) continue;
    if (known?.id === id) return known;
    try {
      return known = new TimeZone(id);
    } catch { /* a form that only the C library knows; the next source may be plainer */ }
  }
  return known = new TimeZone(Temporal.Now.timeZoneId());
}

function linkedZone(root: string): string | undefined {
  try {
    const target = Deno.readLinkSync(join(root, "etc", "localtime"));
    return /\/zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(target)?.[1];
  } catch {
    return undefined;
  }
}

function namedZone(root: string): string | undefined {
  try {
    return Deno.readTextFileSync(join(root, "etc", "timezone")).trim();
  } catch {
    return undefined;
  }
}
