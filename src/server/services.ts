/** The objects that one server process works with. */
import { join } from "node:path";
import { AccessControl } from "../access/access_control.ts";
import { authLog } from "../access/auth_log.ts";
import { isRole } from "../access/privileges.ts";
import { Datastores } from "../api/datastores.ts";
import type { Services } from "../api/services.ts";
import type { Directories } from "../config/directories.ts";
import { ServerConfig } from "../config/server_config.ts";
import { loadSigningKeys } from "../config/signing_keys.ts";
import { TaskStore } from "../tasks/task_store.ts";
import { LogFile } from "./log_file.ts";

/** Short host name as UPIDs want it: letters, digits and dashes. */
export function nodeName(): string {
  const short = Deno.hostname().split(".")[0].replaceAll(/[^A-Za-z0-9-]/g, "-").replace(/^-+|-+$/g, "");
  return short === "" ? "localhost" : short;
}

/** Makes the services over existing directories; missing keys are created. `close` ends their timers and flushes logs. */
export async function makeServices(
  directories: Directories,
): Promise<Services & { close(reason: string): Promise<void> }> {
  const config = new ServerConfig(directories, isRole);
  const log = new LogFile(join(directories.log, "api", "auth.log"));
  const access = new AccessControl(config, await loadSigningKeys(directories.etc), authLog((line) => log.write(line)));
  const node = nodeName();
  const tasks = new TaskStore(join(directories.log, "tasks"), node);
  const datastores = new Datastores(config);
  return {
    config,
    access,
    tasks,
    datastores,
    node,
    async close(reason) {
      await tasks.close(reason);
      log.flush();
    },
  };
}
