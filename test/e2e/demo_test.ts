import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { must } from "./harness.ts";

Deno.test("the demo backs up, restores, compares and says where the server is", async () => {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const home = Deno.env.get("HOME") ?? "/root";
  // Without the cache that holds the packages, this would need the registry.
  const said = await must(Deno.execPath(), ["task", "demo", "--once"], {
    cwd: root,
    seconds: 300,
    env: { HOME: home },
  });
  assert.match(said, /compare +\d+ entries: .*equal[\s\S]*compare +\d+ entries: .*equal/);
  assert.match(said, /reused/);
  assert.match(said, /https:\/\/127\.0\.0\.1:\d+\nuser +admin@pbs\npassword +\S+/);
});
