import assert from "node:assert/strict";
import { DozoError } from "../base/errors.ts";
import { close, read, write } from "./file.ts";
import { openLibrary } from "./library.ts";
import { isTerminal } from "./process.ts";
import { readHidden } from "./terminal.ts";

const lib = openLibrary(["libc.so.6"], {
  openpty: { parameters: ["buffer", "buffer", "pointer", "pointer", "pointer"], result: "i32" },
});

function openTerminal(): { outside: number; inside: number } {
  const [outside, inside] = [new Int32Array(1), new Int32Array(1)];
  assert.ok(lib);
  assert.equal(lib.openpty(outside, inside, null, null, null), 0);
  return { outside: outside[0], inside: inside[0] };
}

Deno.test("terminal: a password is read without being shown", { ignore: lib === null }, async () => {
  const { outside, inside } = openTerminal();
  assert.equal(isTerminal(inside), true);
  const asked = readHidden(inside, "Password: ");
  const shown = new Uint8Array(100);
  assert.equal(new TextDecoder().decode(shown.subarray(0, read(outside, shown))), "Password: ");
  write(outside, new TextEncoder().encode("geheim ü\n"));
  assert.equal(await asked, "geheim ü");
  assert.equal(new TextDecoder().decode(shown.subarray(0, read(outside, shown))), "\r\n");
  write(outside, new TextEncoder().encode("seen\n"));
  assert.match(new TextDecoder().decode(shown.subarray(0, read(outside, shown))), /^seen/);
  close(outside);
  close(inside);
});

Deno.test("terminal: the end of input is an error, not an empty password", { ignore: lib === null }, async () => {
  const { outside, inside } = openTerminal();
  const asked = readHidden(inside, "Password: ");
  read(outside, new Uint8Array(100));
  write(outside, Uint8Array.of(4));
  await assert.rejects(() => asked, DozoError);
  close(outside);
  close(inside);
});
