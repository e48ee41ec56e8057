/** Reads an open file's metadata as an archive stores them (`spec/pxar.md` §8, §10). */
import { fgetxattr, flistxattr, FsError, getFatAttributes, getFlags, getProjectId, type Stat } from "../native/fs.ts";
import type { Metadata, Xattr } from "../formats/pxar/mod.ts";
import { aclFromXattrs } from "./acl.ts";
import { flagsFromFat, flagsFromInode, type SourceFeatures } from "./features.ts";

const NAME_MAX = 255;
const text = new TextEncoder();
const USER = text.encode("user."), TRUSTED = text.encode("trusted.");
const FCAPS = "security.capability", ACCESS = "system.posix_acl_access", DEFAULT = "system.posix_acl_default";
const ascii = new TextDecoder("latin1");

/** ENTRY fields from a stat result, without attributes. */
export function plainMetadata(stat: Stat): Metadata {
  return {
    mode: stat.mode,
    flags: 0,
    uid: stat.uid,
    gid: stat.gid,
    mtimeSec: stat.mtimeSec,
    mtimeNsec: stat.mtimeNsec,
  };
}

export interface ReadOptions {
  /** What this file system has. */
  features: SourceFeatures;
  skipE2bigXattr: boolean;
  /** Told once per file whose attributes are incomplete. */
  warn: (problem: string) => void;
}

/** Metadata with all attributes of the open regular file or directory `fd`. Throws FsError where reading them fails. */
export function readMetadata(fd: number, stat: Stat, directory: boolean, options: ReadOptions): Metadata {
  const metadata = plainMetadata(stat);
  const { features } = options;
  metadata.flags = flagsFromInode(getFlags(fd) ?? 0);
  if (features.fatFlags) metadata.flags |= flagsFromFat(getFatAttributes(fd) ?? 0);
  if (features.xattrs) readXattrs(fd, metadata, directory, options);
  if (features.projectId) {
    const id = getProjectId(fd) ?? 0;
    if (id !== 0) metadata.projectId = id;
  }
  return metadata;
}

function readXattrs(fd: number, metadata: Metadata, directory: boolean, options: ReadOptions): void {
  const { features } = options;
  let names: readonly Uint8Array[];
  try {
    names = flistxattr(fd);
  } catch (error) {
    if (tooBig(error, options)) return;
    throw error;
  }
  if (names.length === 0) return;
  const kept: Xattr[] = [];
  let access: Uint8Array | undefined, standard: Uint8Array | undefined;
  for (const name of names) {
    const label = ascii.decode(name);
    const isAcl = label === ACCESS || (label === DEFAULT && directory);
    const isFcaps = label === FCAPS;
    if (isAcl ? !features.acls : isFcaps ? !features.fcaps : !storedXattr(name)) continue;
    let value: Uint8Array | null;
    try {
      value = fgetxattr(fd, name);
    } catch (error) {
      if (tooBig(error, options)) break;
      throw error;
    }
    if (value === null) continue;
    if (label === ACCESS) access = value;
    else if (label === DEFAULT) standard = value;
    else if (isFcaps) metadata.fcaps = value;
    else kept.push({ name, value });
  }
  if (kept.length > 0) metadata.xattrs = kept;
  if (access || standard) {
    const acl = aclFromXattrs(access, standard);
    if (acl) metadata.acl = acl;
  }
}

function tooBig(error: unknown, options: ReadOptions): boolean {
  if (!(error instanceof FsError) || error.code !== "E2BIG" || !options.skipE2bigXattr) return false;
  options.warn("an extended attribute is too big for the kernel to hand out: it and those behind it are left out");
  return true;
}

function startsWith(name: Uint8Array, prefix: Uint8Array): boolean {
  return name.length > prefix.length && prefix.every((byte, i) => name[i] === byte);
}

/** True for the extended attributes that archives carry and restores set: `user.*`, `trusted.*`, `security.NTACL`. */
export function storedXattr(name: Uint8Array): boolean {
  if (name.length > NAME_MAX) return false;
  return startsWith(name, USER) || startsWith(name, TRUSTED) || ascii.decode(name) === "security.NTACL";
}
