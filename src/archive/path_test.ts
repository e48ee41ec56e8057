import assert from "node:assert/strict";
import { PathBuffer, quotePath } from "./path.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("paths are shown on one line, with everything that a terminal would not show escaped", () => {
  const cases: [Uint8Array, string][] = [
    [bytes("/plain name"), '"/plain name"'],
    [bytes('/quote"back\\slash'), '"/quote\\"back\\\\slash"'],
    [bytes("/new\nline\ttab\rreturn\0nul"), '"/new\\nline\\ttab\\rreturn\\0nul"'],
    [bytes("/bell\u0007 del\u007f"), '"/bell\\u{7} del\\u{7f}"'],
    [bytes("/日本語 é"), '"/日本語 é"'],
    [bytes("/e\u0301 \u200b"), '"/e\\u{301} \\u{200b}"'],
    [Uint8Array.of(0x2f, 0xff, 0xfe, 0x2d), '"/\\xFF\\xFE-"'],
    [Uint8Array.of(0x2f, 0xe6, 0x97), '"/\\xE6\\x97"'],
    [Uint8Array.of(0x2f, 0xc0, 0xaf), '"/\\xC0\\xAF"'],
  ];
  for (const [path, shown] of cases) assert.equal(quotePath(path), shown);
});

Deno.test("the path buffer follows a walk", () => {
  const path = new PathBuffer();
  const text = (value: Uint8Array) => new TextDecoder().decode(value);
  assert.equal(text(path.current()), "/");
  path.enter(bytes("a"));
  path.enter(bytes("b".repeat(5000)));
  assert.equal(text(path.child(bytes("c"))), `/a/${"b".repeat(5000)}/c`);
  path.leave();
  assert.equal(text(path.current()), "/a");
  path.leave();
  assert.equal(text(path.child(bytes("x"))), "/x");
});
