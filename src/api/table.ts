/** The ONE table of methods. */
import type { Method } from "./method.ts";
import { ACL_METHODS } from "./methods/acl.ts";
import { BROWSE_METHODS } from "./methods/browse.ts";
import { CONFIG_DATASTORE_METHODS } from "./methods/config_datastore.ts";
import { DATASTORE_LIST_METHODS } from "./methods/datastore_list.ts";
import { DOWNLOAD_METHODS } from "./methods/download.ts";
import { GROUP_METHODS } from "./methods/groups.ts";
import { NAMESPACE_METHODS } from "./methods/namespaces.ts";
import { NODE_METHODS } from "./methods/node.ts";
import { SESSION_METHODS } from "./methods/sessions.ts";
import { SNAPSHOT_METHODS } from "./methods/snapshots.ts";
import { TASK_METHODS } from "./methods/tasks.ts";
import { TICKET_METHODS } from "./methods/ticket.ts";
import { TOKEN_METHODS } from "./methods/tokens.ts";
import { USER_METHODS } from "./methods/users.ts";
import { VERSION_METHODS } from "./methods/version.ts";

/** Every method of the API. */
export const METHODS: readonly Method[] = [
  ...VERSION_METHODS,
  ...TICKET_METHODS,
  ...USER_METHODS,
  ...TOKEN_METHODS,
  ...ACL_METHODS,
  ...DATASTORE_LIST_METHODS,
  ...NAMESPACE_METHODS,
  ...GROUP_METHODS,
  ...SNAPSHOT_METHODS,
  ...DOWNLOAD_METHODS,
  ...BROWSE_METHODS,
  ...CONFIG_DATASTORE_METHODS,
  ...TASK_METHODS,
  ...NODE_METHODS,
  ...SESSION_METHODS,
];
