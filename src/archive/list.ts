/** Lists an archive as `pxar list` does. */
import { FileType, type PxarDecoder, type PxarEntry } from "../formats/pxar/mod.ts";
import { PathBuffer, quotePath } from "./path.ts";

const NOTHING = new Uint8Array(0);

/**
 * One line per entry, in archive order: the quoted path, or with `detailed` mode, owner, mtime and size as well.
 * Rejects with a FormatError when the archive is damaged.
 */
export async function listArchive(
  decoder: PxarDecoder,
  print: (line: string) => void,
  detailed = false,
): Promise<void> {
  const path = new PathBuffer();
  let depth = 0;
  for (;;) {
    const event = decoder.tryNext();
    if (!event) await decoder.more();
    else if (event.type === "end") return;
    else if (event.type === "leave") {
      if (--depth > 0) path.leave();
    } else if (event.type === "entry") {
      const { entry } = event;
      // Makes a reference to the wrong place known, as the reference does.
      while (!decoder.tryOpenData()) await decoder.more();
      const shown = quotePath(entry.name.length === 0 ? path.current() : path.child(entry.name));
      print(detailed ? `${details(entry)} ${shown}${linkOf(entry)}` : shown);
      if (entry.kind === "directory" && depth++ > 0) path.enter(entry.name);
    }
  }
}

function details(entry: PxarEntry): string {
  const { mode, uid, gid, mtimeSec } = entry.metadata;
  if (entry.kind === "hardlink") return `hardlink`;
  const time = new Date(mtimeSec * 1000);
  const shown = Number.isNaN(time.getTime()) ? `${mtimeSec}s` : time.toISOString().slice(0, 19) + "Z";
  return `${modeString(mode)} ${uid}/${gid} ${String(entry.size).padStart(10)} ${shown}`;
}

function linkOf({ kind, target }: PxarEntry): string {
  if (kind !== "symlink" && kind !== "hardlink") return "";
  return ` -> ${quotePath(target ?? NOTHING)}`;
}

const TYPE_LETTERS = new Map<number, string>([
  [FileType.Socket, "s"],
  [FileType.Symlink, "l"],
  [FileType.Regular, "-"],
  [FileType.Block, "b"],
  [FileType.Directory, "d"],
  [FileType.Character, "c"],
  [FileType.Fifo, "p"],
]);

/** A mode as `ls -l` shows it (`drwxr-xr-x`). */
export function modeString(mode: number): string {
  let text = TYPE_LETTERS.get(mode & FileType.Mask) ?? "?";
  for (let shift = 6; shift >= 0; shift -= 3) {
    const bits = (mode >> shift) & 7;
    const special = mode & (0o1000 << (shift / 3));
    const letter = shift === 0 ? "t" : "s";
    text += (bits & 4 ? "r" : "-") + (bits & 2 ? "w" : "-");
    text += special ? (bits & 1 ? letter : letter.toUpperCase()) : bits & 1 ? "x" : "-";
  }
  return text;
}
