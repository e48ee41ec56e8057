/** The declarative permission check before parameters are looked at (`spec/auth.md` §14.1). */
import type { Caller } from "../access/caller.ts";
import type { Permission } from "./method.ts";

/** Whether everybody may call a method, without login. */
export function isWorld(permission: Permission): boolean {
  return "user" in permission && permission.user === "world";
}

/** Whether `caller` passes the rule; `placeholders` are the values from the path. */
export function isPermitted(
  permission: Permission,
  caller: Caller,
  placeholders: ReadonlyMap<string, string>,
): boolean {
  if (caller.isSuperuser) return true;
  if ("user" in permission) return permission.user !== "root@pam";
  if ("userParam" in permission) return placeholders.get(permission.userParam) === caller.authid;
  if ("or" in permission) return permission.or.some((one) => isPermitted(one, caller, placeholders));
  if ("and" in permission) return permission.and.every((one) => isPermitted(one, caller, placeholders));
  const { path, privs, any } = permission.check;
  const components = path.map((one) => one.startsWith("{") ? placeholders.get(one.slice(1, -1)) ?? "" : one);
  const target = `/${components.filter((one) => one !== "").join("/")}`;
  return any ? caller.hasAny(target, ...privs) : caller.hasAll(target, ...privs);
}
