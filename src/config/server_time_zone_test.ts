import assert from "node:assert/strict";
import { join } from "node:path";
import { parseCalendarEvent } from "../formats/calendar/calendar_event.ts";
import { nextEvent } from "../formats/calendar/next_event.ts";
import { serverTimeZone } from "./server_time_zone.ts";

Deno.test({
  name: "CE-19 a change of the server's time zone moves the next run",
  ignore: Deno.env.get("TZ") !== undefined,
  fn() {
    const root = Deno.makeTempDirSync({ prefix: "dozo-zone-" });
    try {
      const link = join(root, "etc", "localtime");
      Deno.mkdirSync(join(root, "etc"));
      const next = () => nextEvent(parseCalendarEvent("12:00"), 1893456000, serverTimeZone(root))! - 1893456000;
      Deno.symlinkSync("/usr/share/zoneinfo/Europe/Vienna", link);
      assert.equal(next(), 11 * 3600);
      Deno.removeSync(link);
      Deno.symlinkSync("../usr/share/zoneinfo/posix/America/New_York", link);
      assert.equal(next(), 17 * 3600);
      assert.equal(serverTimeZone(root), serverTimeZone(root));
      Deno.removeSync(link);
      Deno.writeTextFileSync(join(root, "etc", "timezone"), "Asia/Kathmandu\n");
      assert.equal(next(), 12 * 3600 - 20700);
      Deno.writeTextFileSync(join(root, "etc", "timezone"), "no zone\n");
      assert.equal(serverTimeZone(root).id, Temporal.Now.timeZoneId());
    } finally {
      Deno.removeSync(root, { recursive: true });
    }
  },
});
