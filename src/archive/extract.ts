/** Extracts archives into a directory, never outside of it (`spec/pxar.md` §12). */
import { writeFile } from "node:fs/promises";
import { DozoError, errorMessage } from "../base/errors.ts";
import type { AccessorEntry, PxarAccessor, PxarDecoder, PxarDirectory, PxarEntry } from "../formats/pxar/mod.ts";
import type { ExtractOptions, ExtractStats } from "./extract_types.ts";
import { Extractor } from "./extractor.ts";
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
    extractor.finish();
    return extractor.stats;
  } finally {
    extractor.close();
  }
}

function place(extractor: Extractor, decoder: PxarDecoder, entry: PxarEntry): void | Promise<void> {
  if (entry.kind === "directory") {
    if (extractor.depth === 0) extractor.openRoot(entry);
    else extractor.enter(entry);
    return;
  }
  if (!extractor.selects(entry.name, false)) return;
  if (entry.kind !== "file") return extractor.create(entry);
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
  extractor.finishFile();
}

async function placeRest(extractor: Extractor, decoder: PxarDecoder): Promise<void> {
  try {
    while (decoder.dataRemaining > 0) {
      const piece = decoder.tryData();
      if (!piece) await decoder.more();
      else if (!extractor.writeData(piece)) return;
    }
  } catch (error) {
    return extractor.failFile(error);
  }
  extractor.finishFile();
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
 * Extracts what `options.patterns` select by random access, so that only the needed parts of the streams are read.
 * The metadata of all directories are looked at; contents only of what is extracted.
 */
export async function extractMatching(accessor: PxarAccessor, options: ExtractOptions): Promise<ExtractStats> {
  const extractor = new Extractor(options);
  const turns = new Turns(options.signal);
  try {
    if (options.preludeTarget) {
      const prelude = await accessor.prelude();
      if (prelude) await writePrelude(prelude, options);
    }
    const root = await accessor.root();
    extractor.openRoot(root.entry);
    const open: AsyncGenerator<AccessorEntry, void, void>[] = [root.children()];
    while (open.length > 0) {
      const turn = turns.next();
      if (turn) await turn;
      const next = await open[open.length - 1].next();
      if (next.done) {
        open.pop();
        extractor.leave();
        continue;
      }
      const child = next.value;
      if (child.kind === "directory") {
        const directory: PxarDirectory = await accessor.openDirectory(child);
        extractor.enter(child);
        open.push(directory.children());
      } else if (extractor.selects(child.name, false)) {
        if (child.kind === "file") await placeAt(extractor, accessor, child);
        else extractor.create(child);
      }
    }
    extractor.finish();
    return extractor.stats;
  } finally {
    extractor.close();
  }
}

async function placeAt(extractor: Extractor, accessor: PxarAccessor, file: PxarEntry): Promise<void> {
  if (!extractor.startFile(file)) return;
  try {
    if (file.size > 0) await accessor.checkPayload(file);
    for (let at = 0; at < file.size;) {
      const piece = await accessor.readFile(file, at, READ_SIZE);
      at += piece.length;
      if (!extractor.writeData(piece)) return;
    }
  } catch (error) {
    return extractor.failFile(error);
  }
  extractor.finishFile();
}
