/** Lists a directory tree in the form of the golden listings (`test/vectors/pxar/tree.json`). */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { compareBytes, concatBytes } from "../base/bytes.ts";
import {
  close,
  fgetxattr,
  FileType,
  flistxattr,
  fstatat,
  getFlags,
  majorOf,
  minorOf,
  open,
  openat,
  OpenFlag,
  readDir,
  readlinkat,
  type Stat,
} from "../native/fs.ts";

export interface ListedEntry {
  path: string | { base64: string };
  mode: string;
  uid: number;
  gid: number;
  mtime_ns: string;
  type: string;
  size?: number;
  sha256?: string;
  to?: string;
  target?: string;
  major?: number;
  minor?: number;
  acl?: string[];
  chattr?: string;
  xattrs_base64?: Record<string, string>;
}

const text = new TextEncoder();
const TYPES = new Map<number, string>([
  [FileType.FILE, "file"],
  [FileType.DIRECTORY, "directory"],
  [FileType.SYMLINK, "symlink"],
  [FileType.BLOCK_DEVICE, "blockdev"],
  [FileType.CHAR_DEVICE, "chardev"],
  [FileType.FIFO, "fifo"],
  [FileType.SOCKET, "socket"],
]);

/** Name as text where it is UTF-8, else in base64. */
function shown(path: Uint8Array): string | { base64: string } {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(path);
  } catch {
    return { base64: path.toBase64() };
  }
}

/** All entries below `root`, paths in byte order of their components. */
export function listTree(root: string): ListedEntry[] {
  const entries: ListedEntry[] = [];
  const firstNames = new Map<string, string>();
  const rootFd = open(root, OpenFlag.READ | OpenFlag.DIRECTORY);
  const visit = (directory: number, name: Uint8Array, path: Uint8Array) => {
    const stat = fstatat(directory, name);
    const entry = describe(directory, name, path, stat, firstNames);
    entries.push(entry);
    if (entry.type !== "directory") return;
    const fd = openat(directory, name, OpenFlag.READ | OpenFlag.DIRECTORY | OpenFlag.NOFOLLOW);
    for (const child of readDir(fd).sort((a, b) => compareBytes(a.name, b.name))) {
      visit(fd, child.name, concatBytes(path, text.encode(path.length > 1 ? "/" : ""), child.name));
    }
    close(fd);
  };
  visit(rootFd, text.encode("."), text.encode("/"));
  close(rootFd);
  return entries;
}

function describe(
  directory: number,
  name: Uint8Array,
  path: Uint8Array,
  stat: Stat,
  firstNames: Map<string, string>,
): ListedEntry {
  const type = TYPES.get(stat.mode & FileType.MASK) ?? "unknown";
  const entry: ListedEntry = {
    path: shown(path),
    mode: (stat.mode & 0o177777).toString(8).padStart(6, "0"),
    uid: stat.uid,
    gid: stat.gid,
    mtime_ns: String(BigInt(stat.mtimeSec) * 1_000_000_000n + BigInt(stat.mtimeNsec)),
    type,
  };
  if (type === "symlink") entry.target = new TextDecoder().decode(readlinkat(directory, name));
  if (type === "blockdev" || type === "chardev") {
    entry.major = majorOf(stat.rdev);
    entry.minor = minorOf(stat.rdev);
  }
  if (type !== "file" && type !== "directory") return entry;
  const fd = openat(directory, name, OpenFlag.READ | OpenFlag.NOFOLLOW);
  if (type === "file") {
    const content = readFileSync(`/proc/self/fd/${fd}`);
    entry.size = content.length;
    entry.sha256 = createHash("sha256").update(content).digest("hex");
    const key = `${stat.dev}:${stat.ino}`;
    const first = firstNames.get(key);
    if (first !== undefined) {
      entry.type = "hardlink";
      entry.to = first;
    } else firstNames.set(key, String(entry.path));
  }
  if (entry.type !== "hardlink") attributes(fd, entry);
  close(fd);
  return entry;
}

const KEPT_FLAGS = 0x20 | 0x80 | 0x4 | 0x800000 | 0x40 | 0x10000 | 0x10 | 0x8 | 0x400 | 0x20000000;

function attributes(fd: number, entry: ListedEntry): void {
  const acl: string[] = [];
  for (const name of flistxattr(fd)) {
    const label = new TextDecoder().decode(name);
    const value = fgetxattr(fd, name) ?? new Uint8Array(0);
    if (label === "system.posix_acl_access") acl.unshift(...aclLines(value, ""));
    else if (label === "system.posix_acl_default") acl.push(...aclLines(value, "default:"));
    else (entry.xattrs_base64 ??= {})[label] = value.toBase64();
  }
  if (acl.length > 0) {
    entry.acl = acl[0].startsWith("default:") ? [...aclOfMode(entry.mode), ...acl] : acl;
  }
  const flags = (getFlags(fd) ?? 0) & KEPT_FLAGS;
  if (flags !== 0) entry.chattr = `0x${flags.toString(16)}`;
}

const rwx = (bits: number): string => (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-") + (bits & 1 ? "x" : "-");

function aclOfMode(mode: string): string[] {
  const bits = parseInt(mode, 8);
  return [`user::${rwx(bits >> 6)}`, `group::${rwx(bits >> 3)}`, `other::${rwx(bits)}`];
}

/** An ACL xattr as `getfacl -n -E` prints it. */
function aclLines(value: Uint8Array, prefix: string): string[] {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const lines: string[] = [];
  for (let at = 4; at < value.length; at += 8) {
    const rights = rwx(view.getUint16(at + 2, true));
    const id = view.getUint32(at + 4, true);
    const kind = new Map([[1, "user:"], [2, `user:${id}`], [4, "group:"], [8, `group:${id}`], [16, "mask:"], [
      32,
      "other:",
    ]]).get(view.getUint16(at, true));
    lines.push(`${prefix}${kind}:${rights}`);
  }
  return lines;
}
