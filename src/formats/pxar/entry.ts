/** What a decoder delivers: archive entries and the marks between them. */
import type { EntryKind, Metadata } from "./metadata.ts";

/** One entry of an archive. Byte fields are copies and may be kept. */
export interface PxarEntry {
  readonly kind: EntryKind;
  /** Name within its directory; empty for the root. */
  readonly name: Uint8Array;
  /** Stream offset of the FILENAME item (of the first item for the root): what hardlinks count from. */
  readonly offset: number;
  /** Metadata; all zero for a hardlink, whose metadata are its target's. */
  readonly metadata: Metadata;
  /** Content bytes of a regular file, else 0. */
  readonly size: number;
  /**
   * Regular files: offset of the content (behind the PAYLOAD header), in the archive stream (version 1) or the payload
   * stream (version 2). −1 for others.
   */
  readonly dataOffset: number;
  /** Symlinks: the target. Hardlinks: the target's path, relative to the root and free of `..`. */
  readonly target?: Uint8Array;
  /** Hardlinks: stream offset of the target's FILENAME item; may be negative or wrong in a damaged archive. */
  readonly linkOffset?: number;
  readonly major?: number;
  readonly minor?: number;
}

/** A step of sequential reading. After a directory come its children, then `leave`; `end` follows the root's `leave`. */
export type PxarEvent =
  | { readonly type: "prelude"; readonly content: Uint8Array }
  | { readonly type: "entry"; readonly entry: PxarEntry }
  | { readonly type: "leave" }
  | { readonly type: "end" };
