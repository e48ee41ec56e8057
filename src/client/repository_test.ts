import assert from "node:assert/strict";
import { formatRepository, parseRepository, resolveRepository } from "./repository.ts";

function check(text: string, authId: string, server: string, port: number, datastore: string): void {
  const repository = parseRepository(text);
  assert.deepEqual(repository, { authId, server, port, datastore });
  assert.equal(formatRepository(repository), text);
}

Deno.test("CL-02 CL-03 a datastore alone means root@pam on localhost:8007", () => {
  check("mydatastore", "root@pam", "localhost", 8007, "mydatastore");
});

Deno.test("CL-04 server and datastore", () => {
  check("myhostname:mydatastore", "root@pam", "myhostname", 8007, "mydatastore");
});

Deno.test("CL-05 user, server and datastore", () => {
  check("user@pbs@myhostname:mydatastore", "user@pbs", "myhostname", 8007, "mydatastore");
});

Deno.test("CL-06 an API token as user", () => {
  check("user@pbs!token@host:store", "user@pbs!token", "host", 8007, "store");
});

Deno.test("CL-07 an IPv4 address with a port", () => {
  check("192.168.55.55:1234:mydatastore", "root@pam", "192.168.55.55", 1234, "mydatastore");
});

Deno.test("CL-08 an IPv6 address in brackets", () => {
  check("[ff80::51]:mydatastore", "root@pam", "ff80::51", 8007, "mydatastore");
});

Deno.test("CL-09 an IPv6 address with a port", () => {
  check("[ff80::51]:1234:mydatastore", "root@pam", "ff80::51", 1234, "mydatastore");
});

Deno.test("CL-01 all parts together", () => {
  check("a.b@realm@host.example.org:8443:store-1", "a.b@realm", "host.example.org", 8443, "store-1");
});

Deno.test("CL-01 malformed repositories are refused with the expected form", () => {
  for (
    const text of ["", "ab c", "host:0:store", "host:70000:store", "ff80::51:store", "@host:store", "x".repeat(257)]
  ) {
    assert.throws(() => parseRepository(text), /repository/, text);
  }
});

Deno.test("CL-10 the option beats PBS_REPOSITORY, parts take missing ones from the variables", () => {
  const env = (values: Record<string, string>) => (name: string) => values[name];
  const none = {};
  const both = env({ PBS_REPOSITORY: "from-env", PBS_SERVER: "srv", PBS_DATASTORE: "part" });
  assert.equal(resolveRepository({ repository: "opt", parts: none }, both, undefined).datastore, "opt");
  assert.equal(resolveRepository({ parts: none }, both, undefined).datastore, "from-env");
  assert.deepEqual(resolveRepository({ parts: { port: 1 } }, both, undefined), {
    authId: "root@pam",
    server: "srv",
    port: 1,
    datastore: "part",
  });
  assert.equal(resolveRepository({ parts: none }, env({ PBS_DATASTORE: "alone" }), undefined).datastore, "alone");
  assert.equal(resolveRepository({ parts: none }, env({}), "credential").datastore, "credential");
  assert.throws(() => resolveRepository({ repository: "a", parts: { port: 1 } }, both, undefined), /excludes/);
  assert.throws(() => resolveRepository({ parts: none }, env({}), undefined), {
    message: "unable to get (default) repository",
  });
});
