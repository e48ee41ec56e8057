/**
 * Puts a program into a copy of the Deno executable: one file that, however it is called, runs that program.
 *
 * The file gets one more loadable segment with the program's text and a stub of machine code, which becomes the entry
 * point. The kernel and the dynamic loader start the file as ever; then the stub sets a few environment variables (by
 * libc's own `setenv`), puts arguments behind argv[0] that point straight into the segment, and goes on to Deno's entry
 * point. Nothing is unpacked, written or executed a second time, `Deno.execPath()` is the file itself, and
 * /proc/PID/cmdline stays what the user typed. The header of the new segment takes the place of the note segment's, which
 * only identifies the build.
 */
import { Aarch64 } from "./aarch64.ts";
import { ElfImage, PT_LOAD, PT_NOTE } from "./image.ts";
import { X8664 } from "./x86_64.ts";

/** What the stub arranges before the runtime starts. */
export interface StartUp {
  /** Put between argv[0] and the user's arguments; an even number of them. No text may contain a NUL character. */
  readonly arguments: readonly string[];
  /** Set, or removed where undefined, in the process's environment. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

type Assembler = Pick<X8664, keyof X8664>;
const READ_AND_EXECUTE = 5;

/** A copy of `executable` that starts as `startUp` says. */
export function embed(executable: Uint8Array<ArrayBuffer>, startUp: StartUp): Uint8Array<ArrayBuffer> {
  const image = new ElfImage(executable);
  const note = image.segments.find((segment) => segment.type === PT_NOTE);
  if (!note) throw new Error("the executable has no note segment whose header could be used");
  const loads = image.segments.filter((segment) => segment.type === PT_LOAD);
  const alignment = Math.max(...loads.map((segment) => segment.alignment));
  if (loads.some((segment) => segment.headerAt > note.headerAt)) {
    throw new Error("the note segment's header comes before a loadable one, but addresses must ascend");
  }
  const offset = roundUp(executable.length, alignment);
  const address = roundUp(Math.max(...loads.map((segment) => segment.address + segment.memorySize)), alignment);
  const segment = buildSegment(image, address, startUp);

  const result = new Uint8Array(offset + segment.length);
  result.set(executable);
  result.set(segment, offset);
  const view = new DataView(result.buffer);
  const header = note.headerAt;
  view.setUint32(header, PT_LOAD, true);
  view.setUint32(header + 4, READ_AND_EXECUTE, true);
  for (const [at, value] of [[8, offset], [16, address], [24, address], [32, segment.length], [40, segment.length]]) {
    view.setBigUint64(header + at, BigInt(value), true);
  }
  view.setBigUint64(header + 48, BigInt(alignment), true);
  view.setBigUint64(24, BigInt(address), true);
  return result;
}

function buildSegment(image: ElfImage, address: number, startUp: StartUp): Uint8Array<ArrayBuffer> {
  if (startUp.arguments.length % 2 !== 0) throw new Error("the number of arguments must be even");
  const texts = [...new Set([...Object.entries(startUp.environment).flat(), ...startUp.arguments])]
    .filter((text) => text !== undefined);
  // The code's length does not depend on the addresses in it, so a first pass tells where the texts begin.
  const draft = assemble(image, address, startUp, new Map(texts.map((text) => [text, address])));
  const parts: Uint8Array[] = [];
  const places = new Map<string, number>();
  let at = address + draft.length;
  for (const text of texts) {
    if (text.includes("\0")) throw new Error("an embedded text contains a NUL character");
    const bytes = new TextEncoder().encode(text + "\0");
    places.set(text, at);
    parts.push(bytes);
    at += bytes.length;
  }
  const segment = new Uint8Array(at - address);
  segment.set(assemble(image, address, startUp, places));
  let end = draft.length;
  for (const part of parts) {
    segment.set(part, end);
    end += part.length;
  }
  return segment;
}

function assemble(
  image: ElfImage,
  address: number,
  startUp: StartUp,
  places: ReadonlyMap<string, number>,
): Uint8Array<ArrayBuffer> {
  const placeOf = (text: string): number => {
    const place = places.get(text);
    if (place === undefined) throw new Error(`no place for '${text.slice(0, 40)}'`);
    return place;
  };
  const code: Assembler = image.machine === 62 ? new X8664(address) : new Aarch64(address);
  code.saveLoaderArgument();
  for (const [name, value] of Object.entries(startUp.environment)) {
    code.loadFirstArgument(placeOf(name));
    if (value === undefined) {
      code.callThrough(image.importSlot("unsetenv"));
    } else {
      code.loadSecondArgument(placeOf(value));
      code.setThirdArgument(1);
      code.callThrough(image.importSlot("setenv"));
    }
  }
  code.restoreLoaderArgument();
  code.makeRoomForArguments(startUp.arguments.length);
  startUp.arguments.forEach((text, index) => code.storeArgument(index + 1, placeOf(text)));
  code.jump(image.entry);
  return code.bytes();
}

function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
