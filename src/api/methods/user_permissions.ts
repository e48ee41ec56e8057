/** Permission rules of the user and token calls. */
import type { Permission } from "../method.ts";

export const USERS_MODIFY: Permission = {
  check: { path: ["access", "users"], privs: ["Permissions.Modify"], any: false },
};

export const SELF_OR_MODIFY: Permission = { or: [USERS_MODIFY, { userParam: "userid" }] };

export const SELF_OR_AUDIT: Permission = {
  or: [{ check: { path: ["access", "users"], privs: ["Sys.Audit"], any: false } }, { userParam: "userid" }],
};
