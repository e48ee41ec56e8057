/** Metadata of one archive entry: what an ENTRY item and its attribute items say (`spec/pxar.md` §2). */

/** One extended attribute; the name has no NUL, the value may be anything. */
export interface Xattr {
  readonly name: Uint8Array;
  readonly value: Uint8Array;
}

/** A named user or group of an ACL with permission bits (r=4, w=2, x=1). */
export interface AclEntry {
  readonly id: number;
  readonly permissions: number;
}

/** Base entries of a default ACL; an absent part is undefined. */
export interface AclDefault {
  readonly user?: number;
  readonly group?: number;
  readonly other?: number;
  readonly mask?: number;
}

/** POSIX ACL as stored: USER_OBJ, OTHER and the mask of the access ACL live in `mode`. */
export interface Acl {
  users: AclEntry[];
  groups: AclEntry[];
  /** Permissions of the owning group; present only when the access ACL has a mask. */
  groupObj?: number;
  default?: AclDefault;
  defaultUsers: AclEntry[];
  defaultGroups: AclEntry[];
}

/** Metadata of an entry. Absent attributes are undefined, so that ordinary entries stay small. */
export interface Metadata {
  /** Complete `st_mode`: type and permission bits. */
  mode: number;
  /** Flags of §8 (no stored flag is above 2³²). */
  flags: number;
  uid: number;
  gid: number;
  /** Whole seconds since 1970, possibly negative. */
  mtimeSec: number;
  /** 0 … 999 999 999, counted forward from `mtimeSec`. */
  mtimeNsec: number;
  xattrs?: Xattr[];
  acl?: Acl;
  /** Raw value of `security.capability`. */
  fcaps?: Uint8Array;
  /** Quota project id, never 0. */
  projectId?: number;
}

/** File type bits of `mode` and their mask. */
export const FileType = {
  Mask: 0o170000,
  Socket: 0o140000,
  Symlink: 0o120000,
  Regular: 0o100000,
  Block: 0o060000,
  Directory: 0o040000,
  Character: 0o020000,
  Fifo: 0o010000,
} as const;

/** What an entry is, decided by its mode and body item. */
export type EntryKind = "directory" | "file" | "symlink" | "hardlink" | "device" | "fifo" | "socket";

/** An empty ACL to be filled. */
export function newAcl(): Acl {
  return { users: [], groups: [], defaultUsers: [], defaultGroups: [] };
}
