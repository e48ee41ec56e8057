/** Feature flags of pxar and how they relate to file systems and inode flags (`spec/pxar.md` §8). */

/**
 * Feature bits above 2³¹ do not fit JavaScript's bit operations, so a mask is a set of names; what has a meaning for
 * creating or restoring is listed here, inode flags apart.
 */
export interface Features {
  readonly permissions: boolean;
  readonly ownership: boolean;
  readonly symlinks: boolean;
  readonly devices: boolean;
  readonly fifos: boolean;
  readonly sockets: boolean;
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly fcaps: boolean;
  readonly projectId: boolean;
  /** Inode flags that are restored, as bits of ENTRY.flags. */
  readonly inodeFlags: number;
  readonly fatFlags: number;
}

/** Bits of ENTRY.flags. */
export const EntryFlag = {
  Hidden: 0x2000,
  System: 0x4000,
  Archive: 0x8000,
  Append: 0x10000,
  NoAtime: 0x20000,
  Compress: 0x40000,
  NoCow: 0x80000,
  NoDump: 0x100000,
  DirSync: 0x200000,
  Immutable: 0x400000,
  Sync: 0x800000,
  NoCompress: 0x1000000,
  ProjectInherit: 0x2000000,
} as const;

/** [ENTRY flag, FS_IOC_GETFLAGS bit]. */
const INODE_FLAGS: readonly (readonly [number, number])[] = [
  [EntryFlag.Append, 0x20],
  [EntryFlag.NoAtime, 0x80],
  [EntryFlag.Compress, 0x4],
  [EntryFlag.NoCow, 0x800000],
  [EntryFlag.NoDump, 0x40],
  [EntryFlag.DirSync, 0x10000],
  [EntryFlag.Immutable, 0x10],
  [EntryFlag.Sync, 0x8],
  [EntryFlag.NoCompress, 0x400],
  [EntryFlag.ProjectInherit, 0x20000000],
];

/** [ENTRY flag, FAT attribute]. */
const FAT_FLAGS: readonly (readonly [number, number])[] = [
  [EntryFlag.Hidden, 2],
  [EntryFlag.System, 4],
  [EntryFlag.Archive, 32],
];

const INODE_MASK = INODE_FLAGS.reduce((mask, [flag]) => mask | flag, 0);
const FAT_MASK = EntryFlag.Hidden | EntryFlag.System | EntryFlag.Archive;

/** Inode flags that must be set while a file is still empty. */
export const INITIAL_FLAGS = EntryFlag.NoAtime | EntryFlag.Compress | EntryFlag.NoCow | EntryFlag.NoCompress |
  EntryFlag.ProjectInherit;

function translate(value: number, table: readonly (readonly [number, number])[], from: 0 | 1): number {
  let result = 0;
  for (const pair of table) if (value & pair[from]) result |= pair[1 - from];
  return result;
}

/** ENTRY flags of a FS_IOC_GETFLAGS value. */
export const flagsFromInode = (inode: number): number => inode === 0 ? 0 : translate(inode, INODE_FLAGS, 1);
/** FS_IOC_SETFLAGS bits of ENTRY flags. */
export const inodeFromFlags = (flags: number): number => translate(flags, INODE_FLAGS, 0);
/** ENTRY flags of FAT attributes. */
export const flagsFromFat = (fat: number): number => translate(fat, FAT_FLAGS, 1);
/** FAT attributes of ENTRY flags. */
export const fatFromFlags = (flags: number): number => translate(flags, FAT_FLAGS, 0);
/** All inode flag bits that FS_IOC_SETFLAGS may carry here. */
export const INODE_BITS = inodeFromFlags(INODE_MASK);

/** What create and restore do unless told otherwise: everything but "no dump". */
export const DEFAULT_FEATURES: Features = {
  permissions: true,
  ownership: true,
  symlinks: true,
  devices: true,
  fifos: true,
  sockets: true,
  xattrs: true,
  acls: true,
  fcaps: true,
  projectId: true,
  inodeFlags: INODE_MASK & ~EntryFlag.NoDump,
  fatFlags: FAT_MASK,
};

/** statfs magic numbers that the archiver treats specially. */
export const FsMagic = {
  Msdos: 0x4d44,
  Ext: 0xef53,
  Xfs: 0x58465342,
  Zfs: 0x2fc12fc1,
  Btrfs: 0x9123683e,
  Tmpfs: 0x01021994,
  Fuse: 0x65735546,
} as const;

/** What of a file system's attributes is read when creating an archive. */
export interface SourceFeatures {
  readonly xattrs: boolean;
  readonly acls: boolean;
  readonly fcaps: boolean;
  readonly projectId: boolean;
  readonly fatFlags: boolean;
}

/** Attributes worth asking for on the file system with this statfs magic, within `wanted`. */
export function sourceFeatures(magic: number, wanted: Features): SourceFeatures {
  const m = FsMagic;
  const none = magic === m.Msdos || magic === m.Tmpfs;
  const xattrs = !none && wanted.xattrs;
  return {
    xattrs,
    acls: xattrs && wanted.acls && magic !== m.Fuse,
    fcaps: xattrs && wanted.fcaps && magic !== m.Fuse,
    projectId: wanted.projectId && (magic === m.Ext || magic === m.Xfs || magic === m.Zfs),
    fatFlags: magic === m.Msdos || magic === m.Fuse,
  };
}

/** File systems whose content the kernel makes up: their directories are stored empty (§10). */
const VIRTUAL = new Set([
  0x42494e4d,
  0x63677270,
  0x0027e0eb,
  0x62656570,
  0x64626720,
  0x1cd1,
  0xde5e81e4,
  0x65735543,
  0x958458f6,
  0x19800202,
  0x6e667364,
  0x9fa0,
  0x6165676c,
  0x67596969,
  0x73636673,
  0xf97cff8c,
  0x43415d53,
  0x62656572,
]);

/** True for the statfs magic of a virtual file system. */
export const isVirtual = (magic: number): boolean => VIRTUAL.has(magic >>> 0);
