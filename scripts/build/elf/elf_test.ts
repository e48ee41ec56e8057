import assert from "node:assert/strict";
import { toHex } from "../../../src/base/bytes.ts";
import { Aarch64 } from "./aarch64.ts";
import { embed } from "./embed.ts";
import { ElfImage, PT_LOAD } from "./image.ts";
import { X8664 } from "./x86_64.ts";

/** One of everything; the expected bytes were read back by a disassembler. */
function assembleAll(code: X8664 | Aarch64): string {
  code.saveLoaderArgument();
  code.loadFirstArgument(0x6001234);
  code.loadSecondArgument(0x5d68c48);
  code.setThirdArgument(1);
  code.callThrough(0x5d68c48);
  code.restoreLoaderArgument();
  code.makeRoomForArguments(8);
  code.storeArgument(1, 0x6002345);
  code.storeArgument(8, 0x7ffffff);
  code.jump(0x1e04000);
  return toHex(code.bytes());
}

Deno.test("x86-64 instructions are encoded as a disassembler reads them", () => {
  assert.equal(
    assembleAll(new X8664(0x6000000)),
    "4989d4488d3d2a120000488d35378cd6ffba01000000ff152c8cd6ff4c89e2488b0424488b4c24084881ec400000004805080000004889042448894c2408488d05002300004889842410000000488d05abffff014889842448000000e99f3fe0fb",
  );
});

Deno.test("AArch64 instructions are encoded as a disassembler reads them", () => {
  assert.equal(
    assembleAll(new Aarch64(0x6000000)),
    "f30300aa000000b000d0089141ebff90212031912200805249ebff9029213191290140f920013fd6e00313aae90340f9ea0740f9ff0301d1" +
      "29210091e90300f9ea0700f9090000d029150d91e90b00f9e9ff00f029fd3f91e92700f930f0fd901002009100021fd6",
  );
});

Deno.test("the new segment lies behind all others, is the entry point, and nothing else changes", async () => {
  const deno = await Deno.readFile(Deno.execPath());
  const before = new ElfImage(deno);
  const after = new ElfImage(embed(deno, { arguments: ["eval", "1"], environment: { A: "b", C: undefined } }));
  const loads = after.segments.filter((segment) => segment.type === PT_LOAD);
  const added = loads[loads.length - 1];
  assert.equal(loads.length, before.segments.filter((segment) => segment.type === PT_LOAD).length + 1);
  assert.ok(loads.slice(0, -1).every((segment) => segment.address + segment.memorySize <= added.address));
  assert.equal(after.entry, added.address);
  assert.equal(added.offset % added.alignment, added.address % added.alignment);
  assert.equal(added.offset + added.fileSize, after.bytes.length);
  assert.deepEqual(after.bytes.subarray(0x1000, 0x100000), deno.subarray(0x1000, 0x100000));
});

Deno.test("texts that cannot be arguments, an odd number of them and other files are refused", () => {
  const small = new Uint8Array(128);
  assert.throws(() => embed(small, { arguments: [], environment: {} }), /not a 64-bit little-endian ELF/);
  const deno = Deno.readFileSync(Deno.execPath());
  assert.throws(() => embed(deno, { arguments: ["one"], environment: {} }), /must be even/);
  assert.throws(() => embed(deno, { arguments: ["a\0b", "c"], environment: {} }), /NUL/);
});
