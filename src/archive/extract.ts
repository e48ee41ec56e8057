/** Extracts archives into a directory, never outside of it (`spec/pxar.md` §12). */
import { writeFile } from "node:fs/promises";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { AccessorEntry, PxarAccessor, PxarDecoder, PxarDirectory, PxarEntry } from "../formats/pxar/mod.ts";
import type { ExtractOptions, ExtractStats } from "./extract_types.ts";
import { Extractor } from "./extractor.ts";
import { PathSelection } from "./path_selection.ts";
import { Turns } from "./turns.ts";

/** Bytes of file content that are read at once by random access. */
const READ_SIZE = 4 * 1024 * 1024;

/**
 * Extracts everything that `decoder` delivers, in order: for whole archives. Rejects with a {@link DozoError} when the
 * archive is damaged or, with `strict`, at the first entry that cannot be restored.
 */
export async function extractArchive(decoder: PxarDecoder, options: ExtractOptions): Promise<ExtractStats> {
  const extractor = new Extractor(options);
  const turns = new Turns(options.signal);
  try {
    for (;;) {
      const event = decoder.tryNext();
      if (!event) {
        await decoder.more();
        continue;
      }
      const turn = turns.next();
      if (turn) await turn;
      if (event.type === "prelude") await writePrelude(event.content, options);
      else if (event.type === "leave") extractor.leave();
      else if (event.type === "end") break;
      else {
        const wait = place(extractor, decoder, event.entry);
        if (wait) await wait;
      }
    }
    await extractor.finish();
    return extractor.stats;
  } finally {
    await extractor.close();
  }
}

function place(extractor: Extractor, decoder: PxarDecoder, entry: PxarEntry): void | Promise<void> {
  if (entry.kind === "directory") {
    if (extractor.depth === 0) extractor.openRoot(entry);
    else extractor.enter(entry);
    return;
  }
  if (!extractor.selects(entry.name, false)) return;
  if (entry.kind === "hardlink" && extractor.busy) return extractor.drain().then(() => extractor.create(entry));
  if (entry.kind !== "file") return extractor.create(entry);
  if (extractor.queues(entry)) return queue(extractor, decoder, entry);
  if (!extractor.startFile(entry)) return;
  while (decoder.dataRemaining > 0) {
    let piece: Uint8Array | null;
    try {
      piece = decoder.tryData();
    } catch (error) {
      return extractor.failFile(error);
    }
    if (!piece) return placeRest(extractor, decoder);
    if (!extractor.writeData(piece)) return;
  }
  return extractor.finishFile();
}

/** Collects the content of a small file and has another thread create it. */
function queue(extractor: Extractor, decoder: PxarDecoder, entry: PxarEntry): void | Promise<void> {
  const room = extractor.room(entry);
  if (room instanceof Promise) return room.then(() => queue(extractor, decoder, entry));
  return fill(extractor, decoder, entry, room, 0);
}

function fill(
  extractor: Extractor,
  decoder: PxarDecoder,
  entry: PxarEntry,
  room: Uint8Array,
  filled: number,
): void | Promise<void> {
  try {
    while (filled < room.length) {
      const piece = decoder.tryData();
      if (!piece) {
        return decoder.more().then(
          () => fill(extractor, decoder, entry, room, filled),
          (error) => extractor.fail(entry, error),
        );
      }
      room.set(piece, filled);
      filled += piece.length;
    }
  } catch (error) {
    return extractor.fail(entry, error);
  }
  extractor.enqueue(entry, room);
}

async function placeRest(extractor: Extractor, decoder: PxarDecoder): Promise<void> {
  try {
    while (decoder.dataRemaining > 0) {
      const piece = decoder.tryData();
      if (!piece) await decoder.more();
      else {
        if (!extractor.writeData(piece)) return;
        await extractor.pressure();
      }
    }
  } catch (error) {
    return extractor.failFile(error);
  }
  return extractor.finishFile();
}

async function writePrelude(content: Uint8Array, { preludeTarget }: ExtractOptions): Promise<void> {
  if (!preludeTarget) return;
  try {
    await writeFile(preludeTarget, content);
  } catch (error) {
    throw new DozoError(`cannot write the prelude to '${preludeTarget}': ${errorMessage(error)}`, { cause: error });
  }
}

/**
 * Extracts what `options.patterns` select by random access, so that only the needed parts of the streams are read: entries
 * on the way to a path that is named, directories below which a pattern can match, contents of what is extracted.
 */
export async function extractMatching(accessor: PxarAccessor, options: ExtractOptions): Promise<ExtractStats> {
  const extractor = new Extractor(options);
  try {
    if (options.preludeTarget) {
      const prelude = await accessor.prelude();
      if (prelude) await writePrelude(prelude, options);
    }
    await new MatchingWalk(accessor, extractor, options).run();
    await extractor.finish();
    return extractor.stats;
  } finally {
    await extractor.close();
  }
}

/** Goes through the directory tables in archive order. */
class MatchingWalk {
  readonly #accessor: PxarAccessor;
  readonly #extractor: Extractor;
  readonly #selection: PathSelection;
  readonly #turns: Turns;
  readonly #names: Uint8Array[] = [];

  constructor(accessor: PxarAccessor, extractor: Extractor, options: ExtractOptions) {
    this.#accessor = accessor;
    this.#extractor = extractor;
    this.#selection = new PathSelection(options.patterns ?? []);
    this.#turns = new Turns(options.signal);
  }

  async run(): Promise<void> {
    const extractor = this.#extractor;
    const root = await this.#accessor.root();
    extractor.openRoot(root.entry);
    const open = [this.#children(root)];
    while (open.length > 0) {
      const turn = this.#turns.next();
      if (turn) await turn;
      const next = await open[open.length - 1].next();
      if (next.done) {
        open.pop();
        this.#names.pop();
        extractor.leave();
      } else if (next.value.kind === "directory") {
        const directory = await this.#enter(next.value);
        if (directory) open.push(this.#children(directory));
      } else if (extractor.selects(next.value.name, false)) {
        await this.#place(next.value);
      }
    }
  }

  #children(directory: PxarDirectory): AsyncGenerator<AccessorEntry, void, void> {
    const wanted = this.#extractor.selectedByDefault ? undefined : this.#selection.wantedIn(this.#names);
    return wanted ? chosenChildren(directory, wanted) : directory.children();
  }

  /** Enters a directory unless nothing in it can be wanted. */
  async #enter(child: AccessorEntry): Promise<PxarDirectory | undefined> {
    const extractor = this.#extractor;
    const selected = extractor.selects(child.name, true);
    if (!selected && !this.#selection.canMatchBelow(extractor.pathOf(child.name))) return undefined;
    const directory = await this.#accessor.openDirectory(child);
    extractor.enter(child, selected);
    this.#names.push(child.name);
    return directory;
  }

  async #place(entry: AccessorEntry): Promise<void> {
    if (entry.kind === "file") return await placeAt(this.#extractor, this.#accessor, entry);
    if (entry.kind === "hardlink" && !this.#extractor.linkTargetExists(entry)) {
      // The file's other name was not selected: this one then gets the content.
      const { metadata, size, dataOffset } = await this.#accessor.resolveHardlink(entry);
      return await placeAt(this.#extractor, this.#accessor, { ...entry, kind: "file", metadata, size, dataOffset });
    }
    this.#extractor.create(entry);
  }
}

/** The children with these names that exist, in archive order. */
async function* chosenChildren(
  directory: PxarDirectory,
  names: readonly Uint8Array[],
): AsyncGenerator<AccessorEntry, void, void> {
  const found: AccessorEntry[] = [];
  for (const name of names) {
    const child = await directory.lookup(name);
    if (child) found.push(child);
  }
  yield* found.sort((a, b) => a.offset - b.offset);
}

async function placeAt(extractor: Extractor, accessor: PxarAccessor, file: PxarEntry): Promise<void> {
  if (!extractor.startFile(file)) return;
  try {
    if (file.size > 0) await accessor.checkPayload(file);
    for (let at = 0; at < file.size;) {
      const piece = await accessor.readFile(file, at, READ_SIZE);
      at += piece.length;
      if (!extractor.writeData(piece)) return;
      await extractor.pressure();
    }
  } catch (error) {
    return extractor.failFile(error);
  }
  return await extractor.finishFile();
}
