/** What the handlers work with: made once per process by the server, or by a test. */
import type { AccessControl } from "../access/access_control.ts";
import type { ServerConfig } from "../config/server_config.ts";
import type { TaskStore } from "../tasks/task_store.ts";
import type { Datastores } from "./datastores.ts";

/** Shared objects of one server process. All state that matters is in files below `config.directories`. */
export interface Services {
  readonly config: ServerConfig;
  readonly access: AccessControl;
  readonly tasks: TaskStore;
  readonly datastores: Datastores;
  /** Short host name, as in UPIDs. */
  readonly node: string;
}
