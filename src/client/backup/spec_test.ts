import assert from "node:assert/strict";
import { checkSources, parseBackupSpecs } from "./spec.ts";

Deno.test("CL-40 every archive type is parsed, paths may hold colons and newlines", () => {
  assert.deepEqual(parseBackupSpecs(["root.pxar:/", "a-b_1.img:/dev/x:y", "c.conf:f\ng", "d.log:l"]), [
    { name: "root", type: "pxar", target: "root.pxar", path: "/" },
    { name: "a-b_1", type: "img", target: "a-b_1.img", path: "/dev/x:y" },
    { name: "c", type: "conf", target: "c.conf", path: "f\ng" },
    { name: "d", type: "log", target: "d.log", path: "l" },
  ]);
  for (const word of ["root.pxar", "root.zip:/", ".pxar:/", "a b.pxar:/", "root.pxar:"]) {
    assert.throws(() => parseBackupSpecs([word]), /backup source specification/, word);
  }
});

Deno.test("CL-45 the same target twice is refused", () => {
  assert.throws(() => parseBackupSpecs(["a.pxar:/x", "a.pxar:/y"]), /got target twice/);
});

Deno.test("CL-55 a source of the wrong kind is refused before anything is sent", () => {
  const directory = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${directory}/f`, "x");
  assert.throws(() => checkSources(parseBackupSpecs([`a.img:${directory}`])), /expected file or block device/);
  assert.throws(() => checkSources(parseBackupSpecs([`a.pxar:${directory}/f`])), /expected directory/);
  assert.throws(() => checkSources(parseBackupSpecs([`a.conf:${directory}`])), /expected regular file/);
  assert.throws(() => checkSources(parseBackupSpecs([`a.pxar:${directory}/gone`])), /gone/);
  checkSources(parseBackupSpecs([`a.pxar:${directory}`, `b.img:${directory}/f`, `c.log:${directory}/f`]));
  Deno.removeSync(directory, { recursive: true });
});
