import assert from "node:assert/strict";
import { join } from "node:path";
import type { ApiResponse } from "./exchange.ts";
import { Fixture } from "./replay/fixture.ts";

/** Calls the API as a user with a ticket; the answer's JSON, or its error text. */
async function call(fixture: Fixture, who: string, verb: string, path: string, params?: unknown) {
  const { ticket, csrf } = fixture.ticketFor(who);
  const body = async function* () {
    if (params !== undefined) yield new TextEncoder().encode(JSON.stringify(params));
  };
  const response = await fixture.request({
    verb,
    target: `/api2/json${path}`,
    headers: {
      cookie: `PBSAuthCookie=${encodeURIComponent(ticket)}`,
      csrfpreventiontoken: csrf,
      "content-type": params === undefined ? undefined : "application/json",
    },
    body: body(),
  });
  return { status: response.status, ...read(response) };
}

function read(response: ApiResponse): { data?: unknown; text: string } {
  const text = String(response.body);
  return response.status === 200 ? { data: JSON.parse(text).data, text } : { text };
}

async function withFixture(work: (fixture: Fixture) => Promise<void>): Promise<void> {
  const fixture = await Fixture.make();
  const quiet = console.error;
  console.error = () => {};
  try {
    await work(fixture);
  } finally {
    console.error = quiet;
    await fixture.close();
  }
}

async function finished(fixture: Fixture, upid: unknown): Promise<string> {
  assert.ok(typeof upid === "string" && upid.startsWith("UPID:"));
  for (let i = 0; i < 600; i++) {
    const result = await fixture.api.services.tasks.result(upid);
    if (result) return result.status;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return "timeout";
}

Deno.test("TM-13 names of datastores have 3 to 32 safe characters", () =>
  withFixture(async (fixture) => {
    for (
      const [name, fault] of [
        ["ab", "value must be at least 3 characters long"],
        ["a".repeat(33), "value may only be 32 characters long"],
        ["a/../b", "value does not match the regex pattern"],
        [".abc", "value does not match the regex pattern"],
      ]
    ) {
      const answer = await call(fixture, "root@pam", "POST", "/config/datastore", { name, path: "/tmp/x" });
      assert.deepEqual(answer, { status: 400, text: `parameter verification failed - 'name': ${fault}` });
    }
  }));

Deno.test("ST-22 a datastore is created by a task, once, apart from others, and an existing one only on request", () =>
  withFixture(async (fixture) => {
    // 65536 directories are made and removed: in memory, where there is such a place.
    const memory = await Deno.stat("/dev/shm").then(() => "/dev/shm", () => undefined);
    const base = await Deno.makeTempDir({ dir: memory, prefix: "dozo-create-" });
    await using _base = { [Symbol.asyncDispose]: () => Deno.remove(base, { recursive: true }) };
    const path = join(base, "new");
    const create = (params: Record<string, unknown>) => call(fixture, "root@pam", "POST", "/config/datastore", params);
    const first = await create({ name: "new", path: `${path}/`, comment: " fresh ", "gc-schedule": "daily" });
    assert.equal(await finished(fixture, first.data), "OK");
    const { lines } = await fixture.api.services.tasks.readLog(String(first.data), 0, 0);
    assert.ok(lines.some(({ t }) => /Chunkstore create: \d+%/.test(t)));
    const shown = await call(fixture, "root@pam", "GET", "/config/datastore/new");
    assert.deepEqual(shown.data, { name: "new", path, comment: "fresh", "gc-schedule": "daily" });

    assert.match(
      (await create({ name: "new", path: join(fixture.root, "elsewhere") })).text,
      /datastore 'new' already exists/,
    );
    assert.match((await create({ name: "inner", path: join(path, "sub") })).text, /nested datastores not allowed/);
    assert.match((await create({ name: "rel", path: "relative" })).text, /'path': expected an absolute path/);

    const removed = await call(fixture, "root@pam", "DELETE", "/config/datastore/new");
    assert.equal(await finished(fixture, removed.data), "OK");
    assert.equal(
      (await call(fixture, "root@pam", "GET", "/admin/datastore/new/status")).text,
      "no such datastore 'new'",
    );
    const again = await create({ name: "new", path });
    assert.notEqual(await finished(fixture, again.data), "OK");
    const reused = await create({ name: "new", path, "reuse-datastore": true });
    assert.equal(await finished(fixture, reused.data), "OK");
    assert.equal((await call(fixture, "root@pam", "GET", "/admin/datastore/new/status")).status, 200);
  }));

Deno.test("US-10 US-17 US-23 US-28 US-29 rights and ownership decide what a user sees, reads and removes", () =>
  withFixture(async (fixture) => {
    const root = (verb: string, path: string, params?: unknown) => call(fixture, "root@pam", verb, path, params);
    assert.equal((await root("POST", "/access/users", { userid: "eve@pbs", password: "eves-password" })).status, 200);
    const eve = (verb: string, path: string, params?: unknown) => call(fixture, "eve@pbs", verb, path, params);
    const base = "/admin/datastore/store1";
    const group = "backup-type=vm&backup-id=100";
    const rows = async (who: typeof eve, path: string) => ((await who("GET", path)).data as unknown[]).length;

    assert.deepEqual((await eve("GET", "/admin/datastore")).data, [], "a new user sees nothing");
    assert.equal((await eve("GET", `${base}/groups`)).status, 403);
    const grant = (role: string, more = {}) =>
      root("PUT", "/access/acl", { path: "/datastore/store1", role, "auth-id": "eve@pbs", ...more });

    await grant("DatastorePowerUser");
    assert.equal(await rows(eve, `${base}/groups`), 0, "without ownership");
    assert.equal(await rows(root, `${base}/groups`), 3);
    assert.equal((await eve("GET", `${base}/notes?${group}&backup-time=1795266204`)).status, 400);
    assert.match((await eve("DELETE", `${base}/groups?${group}`)).text, /backup owner check failed/);
    await root("POST", `${base}/change-owner`, { "backup-type": "vm", "backup-id": "100", "new-owner": "eve@pbs" });
    assert.equal(await rows(eve, `${base}/groups`), 1, "its own group");
    assert.equal((await eve("GET", `${base}/notes?${group}&backup-time=1795266204`)).status, 200);
    assert.equal((await eve("DELETE", `${base}/snapshots?${group}&backup-time=1795266182`)).status, 200);

    await grant("DatastorePowerUser", { delete: true });
    await grant("DatastoreAudit");
    assert.equal(await rows(eve, `${base}/groups`), 3, "auditors see foreign groups");
    assert.equal((await eve("DELETE", `${base}/groups?${group}`)).status, 403);
    assert.equal(
      (await eve("GET", `${base}/download?${group}&backup-time=1795266204&file-name=index.json.blob`)).status,
      403,
    );

    const token = await eve("POST", "/access/users/eve@pbs/token/tok", {});
    assert.equal(token.status, 200, "a user makes its own tokens");
    const { tokenid, value } = token.data as { tokenid: string; value: string };
    const byToken = async (path: string) => {
      const headers = { authorization: `PBSAPIToken=${tokenid}:${value}` };
      return await fixture.request({
        verb: "GET",
        target: `/api2/json${path}`,
        headers,
        body: (async function* () {})(),
      });
    };
    assert.equal((await byToken(`${base}/groups`)).status, 403, "a new token has no rights");
    assert.equal(
      (await eve("PUT", "/access/acl", { path: "/datastore/store1", role: "Admin", "auth-id": tokenid })).status,
      200,
    );
    assert.equal((await byToken(`${base}/groups`)).status, 200);
    assert.equal((await byToken("/nodes/localhost/status")).status, 403, "never more than its user");
    assert.equal((await eve("DELETE", "/access/users/eve@pbs/token/tok")).status, 200);
    assert.equal((await byToken(`${base}/groups`)).status, 401, "a removed token stops working at once");
  }));

Deno.test("US-08 US-09 a disabled or removed user is refused at the next request, and leaves nothing behind", () =>
  withFixture(async (fixture) => {
    const root = (verb: string, path: string, params?: unknown) => call(fixture, "root@pam", verb, path, params);
    await root("POST", "/access/users", { userid: "eve@pbs", password: "eves-password" });
    await root("PUT", "/access/acl", { path: "/", role: "Admin", "auth-id": "eve@pbs" });
    await root("POST", "/access/users/eve@pbs/token/tok", {});
    assert.equal((await call(fixture, "eve@pbs", "GET", "/version")).status, 200);
    await root("PUT", "/access/users/eve@pbs", { enable: false });
    assert.equal((await call(fixture, "eve@pbs", "GET", "/version")).status, 401);
    await root("PUT", "/access/users/eve@pbs", { enable: true });
    assert.equal((await call(fixture, "eve@pbs", "GET", "/version")).status, 200);
    await root("DELETE", "/access/users/eve@pbs");
    assert.equal((await call(fixture, "eve@pbs", "GET", "/version")).status, 401);
    const { config } = fixture.api.services;
    assert.ok(!config.passwords.read().value.has("eve"));
    assert.ok(!config.tokenSecrets.read().value.has("eve@pbs!tok"));
    assert.ok(!config.acl.read().value.entries().some(({ ugid }) => ugid.startsWith("eve@")));
  }));

Deno.test("US-06 passwords have 8 to 64 characters, and logging in needs the right one", () =>
  withFixture(async (fixture) => {
    const create = (password: string) =>
      call(fixture, "root@pam", "POST", "/access/users", { userid: "eve@pbs", password });
    assert.match((await create("1234567")).text, /'password': value must be at least 8 characters long/);
    assert.equal((await create("12345678")).status, 200);
    assert.equal((await create("12345678")).text, "user 'eve@pbs' already exists.");
    const login = (password: string) =>
      call(fixture, "root@pam", "POST", "/access/ticket", { username: "eve@pbs", password });
    assert.equal((await login("12345678")).status, 200);
    assert.equal((await login("12345679")).text, "permission check failed.");
    assert.ok(
      fixture.authLines.some((line) => /authentication failure; rhost=\[::1\]:4000 user=eve@pbs msg=/.test(line)),
    );
  }));

Deno.test("whatever a request looks like, the answer is a sentence, not a stack trace", () =>
  withFixture(async (fixture) => {
    const odd = [
      "",
      "/",
      "%",
      "%00",
      "..%2f..",
      "a".repeat(4000),
      "\u{1F512}",
      "UPID:x",
      "'; --",
      "-1",
      "__proto__",
      "{}",
    ];
    for (const { path, verb } of fixture.api.router.methods) {
      for (const value of odd) {
        const target = path.replaceAll(/\{[^}]+\}/g, () => encodeURI(value) || "x");
        for (const params of [undefined, { [value]: value }, { ns: value, store: [value] }, [value]]) {
          const { status, text } = await call(fixture, "root@pam", verb, target.replaceAll("#", "%23"), params);
          assert.ok(status < 500, `${verb} ${target}: ${status} ${text}`);
          assert.ok(!/\n\s+at /.test(text), text);
          if (status >= 400 && status !== 414) assert.ok(text.length > 5, `${verb} ${target}: empty text`);
        }
      }
    }
  }));
