/**
 * Decides which unchanged files are worth taking over in their old chunks. A chunk that is taken over stays whole in the
 * store, so what counts is how much of it the new archive refers to, and into how many pieces the stream falls.
 */
import { toHex } from "../base/bytes.ts";
import type { PreviousIndex } from "./reuse_types.ts";

/** Largest share of the bytes of reused chunks that nothing refers to. */
export const PADDING_LIMIT = 0.1;
/** Each time that a chunk has to be put into the stream once more counts as this share of it. */
const REPEAT_COST = 1 / 64;
/** Groups of reused chunks with less than this share of the largest chunk are read again when a neighbour is. */
const SMALL_SHARE = 1 / 8;

/** Payload range `start` … `end`−1 of an unchanged file in the previous stream, its PAYLOAD header included. */
export interface OldRange {
  readonly start: number;
  readonly end: number;
}

/** Bytes of chunks (by digest in hex) that the new archive refers to already. */
export type UsedBytes = ReadonlyMap<string, number>;

/** The decision about a list of files. */
export interface ReusePlan {
  /** Whether to take over the chunks of file `i`. */
  readonly reuse: readonly boolean[];
  /** Number of the first file that shares chunks with files still to come; the number of files when there is none. */
  readonly firstOpen: number;
}

/** One chunk by content: copies of it in the previous stream count as one. */
interface Chunk {
  readonly size: number;
  used: number;
  /** How often it would be put into the stream. */
  times: number;
  /** Another chunk of the same group; itself at the group's root. */
  group: Chunk;
}

/** Sums over a group of chunks. */
interface Group {
  size: number;
  padding: number;
}

/**
 * Groups the chunks that files have in common and accepts a group when at most a tenth of it would be padding. `files` in
 * archive order: the old range, or undefined for a file that must be read. `before`: what earlier files use. `more`:
 * files may follow that share the last chunk; what they may use of it counts as used.
 */
export function planReuse(
  files: readonly (OldRange | undefined)[],
  index: PreviousIndex,
  before: UsedBytes,
  more: boolean,
): ReusePlan {
  const chunks = new Map<string, Chunk>();
  const firstChunks = countUse(files, index, chunks, before);
  const lastRange = files.findLast((range) => range !== undefined);
  const open = more && lastRange ? creditUnseen(lastRange, index, chunks) : undefined;
  const groups = sumGroups(chunks);
  const groupOf = firstChunks.map((chunk) => chunk && groups.get(rootOf(chunk)));
  const reuse = groupOf.map((group) => group !== undefined && group.padding <= group.size * PADDING_LIMIT);
  const largest = Math.max(0, ...[...chunks.values()].map((chunk) => chunk.size));
  rejoinSmall(reuse, groupOf.map((group) => group !== undefined && group.size < largest * SMALL_SHARE));
  const firstOpen = open ? firstChunks.findIndex((chunk) => chunk && rootOf(chunk) === rootOf(open)) : files.length;
  return { reuse, firstOpen };
}

/** Counts every range in its chunks and joins these to groups; returns the first chunk of each file. */
function countUse(
  files: readonly (OldRange | undefined)[],
  index: PreviousIndex,
  chunks: Map<string, Chunk>,
  before: UsedBytes,
): (Chunk | undefined)[] {
  let tail: Chunk | undefined;
  return files.map((range) => {
    if (!range) return tail = undefined;
    let first: Chunk | undefined;
    let position = index.find(range.start);
    let start = position === 0 ? 0 : index.endAt(position - 1);
    for (; start < range.end; position++) {
      const end = index.endAt(position);
      const chunk = chunkOf(toHex(index.digestAt(position)), end - start, chunks, before);
      chunk.used += Math.min(end, range.end) - Math.max(start, range.start);
      if (chunk !== tail || first) chunk.times++;
      if (first) rootOf(chunk).group = rootOf(first);
      else first = chunk;
      tail = chunk;
      start = end;
    }
    return first;
  });
}

function chunkOf(digest: string, size: number, chunks: Map<string, Chunk>, before: UsedBytes): Chunk {
  let chunk = chunks.get(digest);
  if (!chunk) {
    chunk = { size, used: before.get(digest) ?? 0, times: before.has(digest) ? 1 : 0 } as Chunk;
    chunk.group = chunk;
    chunks.set(digest, chunk);
  }
  return chunk;
}

/** Counts the unseen end of the last chunk as used; returns the chunk if there is such an end. */
function creditUnseen(last: OldRange, index: PreviousIndex, chunks: Map<string, Chunk>): Chunk | undefined {
  const position = index.find(last.end - 1);
  const unseen = index.endAt(position) - last.end;
  if (unseen === 0) return undefined;
  const chunk = chunks.get(toHex(index.digestAt(position))) as Chunk;
  chunk.used += unseen;
  return chunk;
}

function rootOf(chunk: Chunk): Chunk {
  let root = chunk;
  while (root.group !== root) root = root.group;
  // Shortens the way for the next look-up.
  for (let at = chunk; at !== root;) [at.group, at] = [root, at.group];
  return root;
}

function sumGroups(chunks: ReadonlyMap<string, Chunk>): Map<Chunk, Group> {
  const groups = new Map<Chunk, Group>();
  for (const chunk of chunks.values()) {
    const root = rootOf(chunk);
    const sum = groups.get(root) ?? { size: 0, padding: 0 };
    groups.set(root, sum);
    sum.size += chunk.size;
    sum.padding += Math.max(0, chunk.size - chunk.used) + Math.max(0, chunk.times - 1) * chunk.size * REPEAT_COST;
  }
  return groups;
}

/**
 * Reads files in small chunks again when a neighbour is read anyway: otherwise each changed file would for ever stay in a
 * chunk of its own.
 */
function rejoinSmall(reuse: boolean[], small: readonly boolean[]): void {
  for (let i = 1; i < reuse.length; i++) if (small[i] && !reuse[i - 1]) reuse[i] = false;
  for (let i = reuse.length - 2; i >= 0; i--) if (small[i] && !reuse[i + 1]) reuse[i] = false;
}
