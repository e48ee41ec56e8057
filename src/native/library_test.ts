import assert from "node:assert/strict";
import { fixedBytes, holding, openLibrary } from "./library.ts";

const collect = (globalThis as { gc?: () => void }).gc;

Deno.test("libraries: a missing library or symbol is null, not an error", () => {
  assert.equal(openLibrary(["libdoes-not-exist.so.9"], { f: { parameters: [], result: "void" } }), null);
  assert.equal(openLibrary(["libc.so.6"], { does_not_exist: { parameters: [], result: "void" } }), null);
  const found = openLibrary(["libdoes-not-exist.so.9", "libc.so.6"], { getpid: { parameters: [], result: "i32" } });
  assert.equal(found?.getpid(), Deno.pid);
});

Deno.test("libraries: a buffer lives as long as the call that uses it", { ignore: collect === undefined }, async () => {
  const lib = openLibrary(["libc.so.6"], {
    poll: { parameters: ["buffer", "usize", "i32"], result: "i32", nonblocking: true },
  });
  assert.ok(lib && collect);
  let collected = false;
  const registry = new FinalizationRegistry(() => collected = true);
  const start = () => {
    const buffer = fixedBytes(1 << 20);
    registry.register(buffer.buffer, "");
    return holding(lib.poll(buffer, 0, 300), buffer);
  };
  const call = start();
  for (let i = 0; i < 4; i++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
  assert.equal(collected, false);
  await call;
});

Deno.test("libraries: DOZO_NATIVE=off leaves the optional ones alone, and the work is done all the same", async () => {
  const url = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);
  const source = `
    const { libcrypto } = await import(${url("./libcrypto.ts")});
    const { libzstd } = await import(${url("./libzstd.ts")});
    const { sha256 } = await import(${url("./crypto.ts")});
    console.log(libcrypto(), libzstd(), (await sha256(new Uint8Array(70000))).length);
  `;
  const env = { DOZO_NATIVE: "off" };
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["eval", source], env }).output();
  assert.equal(new TextDecoder().decode(stdout).trim(), "null null 32");
});
