/** Item types of a pxar stream and the 16-byte item header (`spec/pxar.md` §1). */
import { FormatError } from "../../base/errors.ts";

/** Bytes of an item header: type u64, full size u64. */
export const HEADER_SIZE = 16;

/** Longest file name or link target in bytes, without the terminating NUL. */
export const NAME_MAX = 4096;

/** Item types as small numbers; {@link itemTypeOf} and {@link writeHeader} translate from and to the 64-bit values. */
export const ItemType = {
  FormatVersion: 0,
  Prelude: 1,
  Entry: 2,
  EntryObsolete: 3,
  Filename: 4,
  Symlink: 5,
  Hardlink: 6,
  Device: 7,
  Xattr: 8,
  AclUser: 9,
  AclGroup: 10,
  AclGroupObj: 11,
  AclDefault: 12,
  AclDefaultUser: 13,
  AclDefaultGroup: 14,
  Fcaps: 15,
  QuotaProjectId: 16,
  Payload: 17,
  PayloadRef: 18,
  Goodbye: 19,
  GoodbyeTail: 20,
  PayloadStart: 21,
  PayloadTail: 22,
} as const;
export type ItemType = typeof ItemType[keyof typeof ItemType];

interface ItemRule {
  readonly name: string;
  readonly hash: string;
  readonly min: number;
  readonly max: number;
}

const ANY = Number.MAX_SAFE_INTEGER - HEADER_SIZE;
const rule = (name: string, hash: string, min: number, max = min): ItemRule => ({ name, hash, min, max });

/** Name, 64-bit value (hex) and limits of the content size of each type, indexed by {@link ItemType}. */
export const ITEM_RULES: readonly ItemRule[] = [
  rule("FORMAT_VERSION", "730f6c75df16a40d", 8),
  rule("PRELUDE", "e309d79d9f7b771b", 0, 16 * 1024 * 1024),
  rule("ENTRY", "d5956474e588acef", 40),
  rule("ENTRY (obsolete)", "11da850a1c1cceff", 32),
  rule("FILENAME", "16701121063917b3", 2, NAME_MAX + 1),
  rule("SYMLINK", "27f971e7dbf5dc5f", 1, NAME_MAX + 1),
  rule("HARDLINK", "51269c8422bd7275", 9, 8 + NAME_MAX + 1),
  rule("DEVICE", "9fc9e906586d5ce9", 16),
  rule("XATTR", "0dab0229b57dcd03", 1, 65791),
  rule("ACL_USER", "2ce8540a457d55b8", 16),
  rule("ACL_GROUP", "136e3eceb04c03ab", 16),
  rule("ACL_GROUP_OBJ", "10868031e9582876", 8),
  rule("ACL_DEFAULT", "bbbb13415a6896f5", 32),
  rule("ACL_DEFAULT_USER", "c89357b40532cd1f", 16),
  rule("ACL_DEFAULT_GROUP", "f90a8a5816038ffe", 16),
  rule("FCAPS", "2da9dd9db5f7fb67", 0, 65791),
  rule("QUOTA_PROJID", "e07540e82f7d1cbb", 8),
  rule("PAYLOAD", "28147a1b0b7c1a25", 0, ANY),
  rule("PAYLOAD_REF", "419d3d6bc4ba977e", 16),
  rule("GOODBYE", "2fec4fa642d5731d", 0, ANY),
  rule("goodbye tail", "ef5eed5b753e1555", 0, 0),
  rule("PAYLOAD_START_MARKER", "834c68c2194a4ed2", 0),
  rule("PAYLOAD_TAIL_MARKER", "6c72b78b984c81b5", 0),
];

/** Upper and lower half of each type's 64-bit value. */
export const TYPE_HI: Uint32Array = Uint32Array.from(ITEM_RULES, (r) => parseInt(r.hash.slice(0, 8), 16));
export const TYPE_LO: Uint32Array = Uint32Array.from(ITEM_RULES, (r) => parseInt(r.hash.slice(8), 16));

const BY_LOW_HALF = new Map<number, ItemType>(ITEM_RULES.map((_, i) => [TYPE_LO[i], i as ItemType]));
BY_LOW_HALF.delete(TYPE_LO[ItemType.GoodbyeTail]);

/** Writes an item header at `offset`; `size` is the full size including the 16 bytes. */
export function writeHeader(view: DataView, offset: number, type: ItemType, size: number): void {
  view.setUint32(offset, TYPE_LO[type], true);
  view.setUint32(offset + 4, TYPE_HI[type], true);
  view.setUint32(offset + 8, size >>> 0, true);
  view.setUint32(offset + 12, Math.floor(size / 0x1_0000_0000), true);
}

/**
 * Type of the item header at `at`. Throws {@link FormatError} for an unknown type, naming `offset`, the position in the
 * stream.
 */
export function itemTypeOf(view: DataView, at: number, offset: number): ItemType {
  const low = view.getUint32(at, true);
  const type = BY_LOW_HALF.get(low);
  if (type === undefined || TYPE_HI[type] !== view.getUint32(at + 4, true)) {
    const hex = (view.getUint32(at + 4, true) * 0x1_0000_0000 + low).toString(16);
    throw new FormatError(`pxar: unknown item type 0x${hex}`, { offset });
  }
  return type;
}

/**
 * Content size (full size − 16) of the item header at `at`, checked against the limits of `type`.
 * Throws {@link FormatError} naming `offset`.
 */
export function contentSizeOf(view: DataView, at: number, type: ItemType, offset: number): number {
  const size = view.getUint32(at + 12, true) * 0x1_0000_0000 + view.getUint32(at + 8, true) - HEADER_SIZE;
  const { name, min, max } = ITEM_RULES[type];
  if (!(size >= min && size <= max)) {
    throw new FormatError(`pxar: item ${name} with a content of ${size} bytes`, { offset });
  }
  return size;
}
