/** What catalog reader and writer share: entry types, limits, magic (`spec/catalog.md` §1). */

/** First eight bytes of a catalog. */
export const CATALOG_MAGIC: Uint8Array<ArrayBuffer> = Uint8Array.of(0x91, 0xfd, 0x60, 0xf9, 0xc4, 0x67, 0x58, 0xd5);

/** Names are shorter than this many bytes. */
export const MAX_CATALOG_NAME = 4096;

/** The type letters in the file. */
export const CATALOG_TYPES = ["d", "f", "l", "h", "b", "c", "p", "s"] as const;
export type CatalogType = typeof CATALOG_TYPES[number];

/** One entry of a directory. */
export interface CatalogEntry {
  readonly type: CatalogType;
  readonly name: Uint8Array;
  /** Offset of the directory's own block; only for type `d`. */
  readonly block?: number;
  /** File size in bytes; only for type `f`. */
  readonly size?: number;
  /** Modification time, whole Unix seconds, possibly negative; only for type `f`. */
  readonly mtime?: number;
}
