/** POSIX ACLs between the kernel's xattr form and archive items (`spec/pxar.md` §2, §10, §12). */
import { viewOf } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { type Acl, type AclDefault, type AclEntry, newAcl } from "../formats/pxar/mod.ts";

const VERSION = 2;
const Tag = { UserObj: 1, User: 2, GroupObj: 4, Group: 8, Mask: 0x10, Other: 0x20 } as const;
const NO_ID = 0xffffffff;

interface Parsed {
  users: AclEntry[];
  groups: AclEntry[];
  userObj?: number;
  groupObj?: number;
  mask?: number;
  other?: number;
}

const byIdThenPermissions = (a: AclEntry, b: AclEntry) => a.id - b.id || a.permissions - b.permissions;

function parse(value: Uint8Array): Parsed {
  const view = viewOf(value);
  if (value.length < 4 || (value.length - 4) % 8 !== 0 || view.getUint32(0, true) !== VERSION) {
    throw new FormatError("ACL of the file system has an unknown form");
  }
  const parsed: Parsed = { users: [], groups: [] };
  for (let at = 4; at < value.length; at += 8) {
    const permissions = view.getUint16(at + 2, true);
    const id = view.getUint32(at + 4, true);
    switch (view.getUint16(at, true)) {
      case Tag.UserObj:
        parsed.userObj = permissions;
        break;
      case Tag.User:
        parsed.users.push({ id, permissions });
        break;
      case Tag.GroupObj:
        parsed.groupObj = permissions;
        break;
      case Tag.Group:
        parsed.groups.push({ id, permissions });
        break;
      case Tag.Mask:
        parsed.mask = permissions;
        break;
      case Tag.Other:
        parsed.other = permissions;
        break;
      default:
        throw new FormatError("ACL of the file system has an unknown entry");
    }
  }
  parsed.users.sort(byIdThenPermissions);
  parsed.groups.sort(byIdThenPermissions);
  return parsed;
}

/**
 * Archive form of the values of `system.posix_acl_access` and `system.posix_acl_default`; undefined when they say no more
 * than the mode does. Throws {@link FormatError} for a value that is not an ACL.
 */
export function aclFromXattrs(access: Uint8Array | undefined, standard: Uint8Array | undefined): Acl | undefined {
  const acl = newAcl();
  if (access) {
    const { users, groups, groupObj, mask } = parse(access);
    acl.users = users;
    acl.groups = groups;
    if (mask !== undefined) acl.groupObj = groupObj;
  }
  if (standard) {
    const { users, groups, userObj, groupObj, other, mask } = parse(standard);
    acl.defaultUsers = users;
    acl.defaultGroups = groups;
    if ((userObj ?? groupObj ?? other ?? mask) !== undefined) {
      acl.default = { user: userObj, group: groupObj, other, mask };
    }
  }
  const empty = acl.users.length + acl.groups.length + acl.defaultUsers.length + acl.defaultGroups.length === 0 &&
    acl.groupObj === undefined && acl.default === undefined;
  return empty ? undefined : acl;
}

function serialize(entries: [tag: number, permissions: number, id: number][]): Uint8Array<ArrayBuffer> {
  const value = new Uint8Array(4 + 8 * entries.length);
  const view = viewOf(value);
  view.setUint32(0, VERSION, true);
  entries.forEach(([tag, permissions, id], i) => {
    if (permissions > 7 || id > NO_ID) throw new FormatError("ACL entry that no file system can hold");
    view.setUint16(4 + 8 * i, tag, true);
    view.setUint16(6 + 8 * i, permissions, true);
    view.setUint32(8 + 8 * i, id, true);
  });
  return value;
}

const named = (tag: number, entries: readonly AclEntry[]): [number, number, number][] =>
  [...entries].sort(byIdThenPermissions).map(({ id, permissions }) => [tag, permissions, id]);

/** Value of `system.posix_acl_access` for an entry with this mode; `lossy` when the owning group's rights are a guess. */
export function accessXattr(acl: Acl, mode: number): { value: Uint8Array<ArrayBuffer>; lossy: boolean } {
  const group = (mode >> 3) & 7;
  const hasNames = acl.users.length + acl.groups.length > 0;
  const entries: [number, number, number][] = [
    [Tag.UserObj, (mode >> 6) & 7, NO_ID],
    ...named(Tag.User, acl.users),
    [Tag.GroupObj, acl.groupObj ?? group, NO_ID],
    ...named(Tag.Group, acl.groups),
  ];
  if (acl.groupObj !== undefined || hasNames) entries.push([Tag.Mask, group, NO_ID]);
  entries.push([Tag.Other, mode & 7, NO_ID]);
  return { value: serialize(entries), lossy: acl.groupObj === undefined && hasNames };
}

/** Value of `system.posix_acl_default`, or undefined when the entry has no default ACL. */
export function defaultXattr(acl: Acl): Uint8Array<ArrayBuffer> | undefined {
  const base: AclDefault | undefined = acl.default;
  if (!base) return undefined;
  const entries: [number, number, number][] = [];
  const part = (tag: number, permissions: number | undefined) => {
    if (permissions !== undefined) entries.push([tag, permissions, NO_ID]);
  };
  part(Tag.UserObj, base.user);
  entries.push(...named(Tag.User, acl.defaultUsers));
  part(Tag.GroupObj, base.group);
  entries.push(...named(Tag.Group, acl.defaultGroups));
  part(Tag.Mask, base.mask);
  part(Tag.Other, base.other);
  return serialize(entries);
}
