/** Which paths an access rule may be made for (`spec/auth.md` §13.2). */

const SYSTEM = new Set([
  "certificates",
  "disks",
  "log",
  "notifications",
  "status",
  "tasks",
  "time",
]);

function isSystemPath(rest: readonly string[]): boolean {
  const [first, second] = rest;
  if (first === undefined) return true;
  if (rest.length === 1 && SYSTEM.has(first)) return true;
  if (first === "services" || first === "s3-endpoint" || first === "encryption-keys") return rest.length <= 2;
  if (first !== "network") return false;
  if (rest.length === 1) return true;
  return second === "dns" ? rest.length === 2 : second === "interfaces" && rest.length <= 3;
}

/** Whether a new rule may be made for `path`. Rules that exist for other paths are kept. */
export function isKnownAclPath(path: string): boolean {
  const [top, ...rest] = path.split("/").filter((component) => component !== "");
  switch (top) {
    case undefined:
      return true;
    case "access":
      if (rest[0] === "openid") return rest.length <= 2;
      return rest.length === 0 || (rest.length === 1 && ["acl", "users", "domains"].includes(rest[0]));
    case "datastore":
      return rest.length <= 8;
    case "remote":
      return rest.length <= 9;
    case "system":
      return isSystemPath(rest);
    case "tape":
      return rest.length === 0 || (["device", "pool", "job"].includes(rest[0]) && rest.length <= 2);
    default:
      return false;
  }
}
