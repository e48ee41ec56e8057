/** Decodes an archive and encodes it again: what the round-trip tests of this folder do. */
import type { PxarDecoder } from "./decoder.ts";
import { PxarEncoder } from "./encoder.ts";
import { MemorySink } from "./memory.ts";

/** Encodes what `decoder` delivers, to a split archive when `split`. */
export async function recode(
  decoder: PxarDecoder,
  split: boolean,
): Promise<{ archive: Uint8Array; payload: Uint8Array }> {
  const archive = new MemorySink();
  const payload = new MemorySink();
  let encoder = new PxarEncoder(archive, split ? { payload } : {});
  for (let depth = 0;;) {
    const event = await decoder.next();
    if (event.type === "prelude") {
      encoder = new PxarEncoder(archive, { payload, prelude: event.content });
    } else if (event.type === "leave") {
      if (--depth > 0) encoder.leave();
    } else if (event.type === "end") {
      encoder.finish();
      return { archive: archive.bytes(), payload: payload.bytes() };
    } else {
      const { kind, name, metadata, size, target, linkOffset, major, minor } = event.entry;
      if (kind === "directory") {
        if (depth++ === 0) encoder.root(metadata);
        else encoder.enter(name, metadata);
      } else if (kind === "file") {
        encoder.file(name, metadata, size);
        encoder.dataSink.write(await decoder.data());
      } else if (kind === "symlink") encoder.symlink(name, metadata, target as Uint8Array);
      else if (kind === "hardlink") encoder.hardlink(name, target as Uint8Array, linkOffset as number);
      else if (kind === "device") encoder.device(name, metadata, major as number, minor as number);
      else encoder.special(name, metadata);
    }
  }
}
