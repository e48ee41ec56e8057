import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { must } from "./harness.ts";

Deno.test("the demo backs up, restores, compares and says where the server is", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  // As a developer calls it, with whatever says where packages come from.
  const env = { ...Deno.env.toObject(), NO_COLOR: "1" };
  const said = await must(Deno.execPath(), ["task", "demo", "--once"], { cwd: root, seconds: 300, env });
  assert.match(said, /compare +\d+ entries: .*equal[\s\S]*compare +\d+ entries: .*equal/);
  assert.match(said, /reused/);
  assert.match(said, /https:\/\/127\.0\.0\.1:\d+\nuser +admin@pbs\npassword +\S+/);
});
