import assert from "node:assert/strict";
import { LineInput } from "./line_input.ts";

function type(text: string | readonly number[]): LineInput {
  const line = new LineInput();
  for (const byte of typeof text === "string" ? new TextEncoder().encode(text) : text) {
    if (!line.finished) line.take(byte);
  }
  return line;
}

Deno.test("a typed line ends at return and leaves the rest alone", () => {
  for (const end of ["\n", "\r"]) {
    const line = type(`secret${end}rest`);
    assert.equal(line.text, "secret");
    assert.equal(line.cancelled, false);
  }
});

Deno.test("backspace erases whole characters, Ctrl-U the line", () => {
  assert.equal(type("aé\x7f\x7fb\n").text, "b");
  assert.equal(type("\x7fabc\x15xyz\n").text, "xyz");
});

Deno.test("Ctrl-C and the end of the input give up", () => {
  assert.equal(type("abc\x03").cancelled, true);
  assert.equal(type("\x04").cancelled, true);
  const ended = type("abc");
  ended.take(undefined);
  assert.deepEqual([ended.finished, ended.cancelled, ended.text], [true, false, "abc"]);
});
