import assert from "node:assert/strict";
import { parseProxy } from "./proxy.ts";

Deno.test("CL-25 the proxy's form: scheme and login are optional, the port is 1080, other schemes are refused", () => {
  assert.equal(parseProxy(undefined), undefined);
  assert.equal(parseProxy(""), undefined);
  assert.deepEqual(parseProxy("proxy"), { host: "proxy", port: 1080, authorization: undefined });
  assert.deepEqual(parseProxy("http://[::1]:3128/"), { host: "::1", port: 3128, authorization: undefined });
  assert.deepEqual(parseProxy("http://me:a%40b@10.0.0.1:80"), {
    host: "10.0.0.1",
    port: 80,
    authorization: `Basic ${btoa("me:a@b")}`,
  });
  for (const wrong of ["socks5://proxy", "https://proxy:1", "http://", "a b", "proxy:0", "proxy:99999", "proxy:x"]) {
    assert.throws(() => parseProxy(wrong), /ALL_PROXY/, wrong);
  }
});
