import assert from "node:assert/strict";
import fc from "fast-check";
import { cString, printableName } from "./file_name.ts";

Deno.test("file names: a NUL or too many bytes are refused before the system sees a shorter name", () => {
  assert.equal(cString("a\0b"), "EINVAL");
  assert.equal(cString(Uint8Array.of(97, 0)), "EINVAL");
  assert.equal(cString("x".repeat(4096)), "ENAMETOOLONG");
  assert.equal(cString(new Uint8Array(4096).fill(97)), "ENAMETOOLONG");
  assert.notEqual(cString("x".repeat(4095)), "ENAMETOOLONG");
});

Deno.test("file names: printed names are one line without control characters", () => {
  assert.equal(printableName("a\nb"), "a\\nb");
  assert.equal(printableName("grün\\"), "grün\\\\");
  assert.equal(printableName(Uint8Array.of(0x61, 0xff, 0x0a)), "a\\xff\\x0a");
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (name) => {
    assert.doesNotMatch(printableName(name), /\p{Cc}/u);
  }));
});
