/** Parses the contents of ENTRY and attribute items (`spec/pxar.md` §2). */
import { readU64 } from "../../base/bytes.ts";
import { FormatError } from "../../base/errors.ts";
import { ItemType } from "./items.ts";
import { type Acl, type AclEntry, type Metadata, newAcl } from "./metadata.ts";

/** Most bytes of attributes that one entry may carry: more than a kernel stores, little enough to hold. */
export const ATTRIBUTES_MAX = 16 * 1024 * 1024;

/** Content of an ENTRY item at `at`. */
export function parseEntry(view: DataView, at: number): Metadata {
  return {
    mode: looseU64(view, at),
    flags: looseU64(view, at + 8),
    uid: view.getUint32(at + 16, true),
    gid: view.getUint32(at + 20, true),
    mtimeSec: view.getInt32(at + 28, true) * 0x1_0000_0000 + view.getUint32(at + 24, true),
    mtimeNsec: view.getUint32(at + 32, true),
  };
}

/** Content of an obsolete ENTRY item, whose mtime is u64 nanoseconds. */
export function parseObsoleteEntry(view: DataView, at: number): Metadata {
  const nanoseconds = view.getBigUint64(at + 24, true);
  return {
    mode: looseU64(view, at),
    flags: looseU64(view, at + 8),
    uid: view.getUint32(at + 16, true),
    gid: view.getUint32(at + 20, true),
    mtimeSec: Number(nanoseconds / 1_000_000_000n),
    mtimeNsec: Number(nanoseconds % 1_000_000_000n),
  };
}

/** Above 2⁵³ only approximately right: enough to see that a mode or flag word is not one that exists. */
function looseU64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

/**
 * Adds an attribute item of `type` with the content `at … at+size` to `metadata`; false when `type` is no attribute.
 * Throws {@link FormatError} for a malformed or repeated one, naming `offset`.
 */
export function addAttribute(
  metadata: Metadata,
  type: ItemType,
  view: DataView,
  at: number,
  size: number,
  offset: number,
): boolean {
  switch (type) {
    case ItemType.Xattr:
      (metadata.xattrs ??= []).push(parseXattr(view, at, size, offset));
      return true;
    case ItemType.AclUser:
      aclOf(metadata).users.push(parseAclEntry(view, at));
      return true;
    case ItemType.AclGroup:
      aclOf(metadata).groups.push(parseAclEntry(view, at));
      return true;
    case ItemType.AclGroupObj:
      once(metadata.acl?.groupObj === undefined, "ACL_GROUP_OBJ", offset);
      aclOf(metadata).groupObj = readU64(view, at);
      return true;
    case ItemType.AclDefault:
      once(metadata.acl?.default === undefined, "ACL_DEFAULT", offset);
      aclOf(metadata).default = {
        user: optionalPart(view, at),
        group: optionalPart(view, at + 8),
        other: optionalPart(view, at + 16),
        mask: optionalPart(view, at + 24),
      };
      return true;
    case ItemType.AclDefaultUser:
      aclOf(metadata).defaultUsers.push(parseAclEntry(view, at));
      return true;
    case ItemType.AclDefaultGroup:
      aclOf(metadata).defaultGroups.push(parseAclEntry(view, at));
      return true;
    case ItemType.Fcaps:
      once(metadata.fcaps === undefined, "FCAPS", offset);
      metadata.fcaps = copy(view, at, size);
      return true;
    case ItemType.QuotaProjectId:
      once(metadata.projectId === undefined, "QUOTA_PROJID", offset);
      metadata.projectId = readU64(view, at);
      return true;
    default:
      return false;
  }
}

function aclOf(metadata: Metadata): Acl {
  return metadata.acl ??= newAcl();
}

function once(first: boolean, name: string, offset: number): void {
  if (!first) throw new FormatError(`pxar: second ${name} item of one entry`, { offset });
}

function parseAclEntry(view: DataView, at: number): AclEntry {
  return { id: readU64(view, at), permissions: readU64(view, at + 8) };
}

function optionalPart(view: DataView, at: number): number | undefined {
  const absent = view.getUint32(at, true) === 0xffffffff && view.getUint32(at + 4, true) === 0xffffffff;
  return absent ? undefined : readU64(view, at);
}

function parseXattr(view: DataView, at: number, size: number, offset: number): { name: Uint8Array; value: Uint8Array } {
  const content = copy(view, at, size);
  const end = content.indexOf(0);
  if (end < 0) throw new FormatError("pxar: XATTR item without a NUL behind the name", { offset });
  return { name: content.subarray(0, end), value: content.subarray(end + 1) };
}

/** A copy of `size` bytes at index `at` of `view`. */
export function copy(view: DataView, at: number, size: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset + at, size).slice();
}

/** A copy of the string of `size` bytes at `at` without its NUL; throws {@link FormatError} where the NUL is missing. */
export function copyString(view: DataView, at: number, size: number, what: string, offset: number): Uint8Array {
  if (view.getUint8(at + size - 1) !== 0) throw new FormatError(`pxar: ${what} without a NUL at its end`, { offset });
  return copy(view, at, size - 1);
}

/** Refuses a hardlink path that could leave the archive: absolute, empty, or with an empty, `.` or `..` component. */
export function checkLinkPath(path: Uint8Array, offset: number): void {
  let start = 0;
  for (let i = 0; i <= path.length; i++) {
    if (i < path.length && path[i] !== 0x2f) {
      if (path[i] === 0) throw new FormatError("pxar: hardlink path with a NUL byte", { offset });
      continue;
    }
    const length = i - start;
    const dots = length <= 2 && path[start] === 0x2e && (length === 1 || path[start + 1] === 0x2e);
    if (length === 0 || dots) throw new FormatError("pxar: hardlink path leads out of the archive", { offset });
    start = i + 1;
  }
}
