import assert from "node:assert/strict";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import { AclTree } from "../config/acl.ts";
import { owns, tryParseAuthId } from "./authid.ts";
import { Caller } from "./caller.ts";
import { credentialsOf } from "./credentials.ts";
import { csrfToken, isCsrfToken } from "./csrf.ts";
import { isKnownAclPath } from "./acl_paths.ts";
import { ALL_PRIVILEGES, isRole, privilegeMask, ROLES } from "./privileges.ts";
import { challengeOfTicket, fullTicket, partialTicket, ticketInfo, userOfTicket } from "./ticket.ts";

const ETC = new URL("../../test/vectors/config/etc/", import.meta.url);
const ROWS = Deno.readTextFileSync(new URL("../../test/vectors/rest/auth.jsonl", import.meta.url)).trim().split("\n")
  .map((line) => JSON.parse(line));

Deno.test("tickets and CSRF tokens that PBS issued verify with its keys", () => {
  const publicKey = createPublicKey(Deno.readTextFileSync(new URL("authkey.pub", ETC)));
  const csrfKey = Uint8Array.from(atob(Deno.readTextFileSync(new URL("csrf.key", ETC)).trim()), (c) => c.charCodeAt(0));
  let full = 0, partial = 0;
  for (const { json } of ROWS) {
    const data = json?.data;
    if (typeof data?.ticket !== "string") continue;
    const time = parseInt(data.ticket.split("::")[0].split(":").at(-1), 16);
    if (data.CSRFPreventionToken === "invalid") {
      partial++;
      assert.equal(userOfTicket(publicKey, data.ticket, time), undefined, "a partial ticket is no login");
      const challenge = JSON.parse(challengeOfTicket(publicKey, data.ticket, data.username, time) ?? "null");
      assert.equal(challenge.totp, true);
      assert.equal(challengeOfTicket(publicKey, data.ticket, "backup@pbs", time), undefined);
      assert.equal(challengeOfTicket(publicKey, data.ticket, data.username, time + 601), undefined);
    } else {
      full++;
      assert.equal(userOfTicket(publicKey, data.ticket, time), data.username);
      assert.equal(userOfTicket(publicKey, data.ticket, time + 7200), data.username);
      assert.equal(userOfTicket(publicKey, data.ticket, time + 7201), undefined, "expired");
      assert.equal(userOfTicket(publicKey, data.ticket, time - 301), undefined, "from the future");
      assert.ok(isCsrfToken(csrfKey, data.CSRFPreventionToken, data.username, time));
      assert.ok(!isCsrfToken(csrfKey, data.CSRFPreventionToken, "root@pam", time));
      assert.ok(!isCsrfToken(csrfKey, data.CSRFPreventionToken, data.username, time + 7300));
      assert.equal(csrfToken(csrfKey, data.username, parseInt(data.CSRFPreventionToken, 16)), data.CSRFPreventionToken);
    }
  }
  assert.ok(full >= 5 && partial >= 3);
});

Deno.test("a new ticket has the form that clients parse", () => {
  for (
    const { privateKey, publicKey } of [
      generateKeyPairSync("ed25519"),
      generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ]
  ) {
    const ticket = fullTicket(privateKey, "jörg:x@pbs", 0x65f0a1b2);
    assert.match(ticket, /^PBS:j%C3%B6rg%3Ax@pbs:65F0A1B2::[A-Za-z0-9+/]+$/);
    assert.equal(userOfTicket(publicKey, ticket, 0x65f0a1b2), "jörg:x@pbs");
    assert.equal(ticketInfo(ticket), "PBS:j%C3%B6rg%3Ax@pbs:65F0A1B2::ticketinfo");
    const half = partialTicket(privateKey, "a@pbs", '{"totp":true}', 1000);
    assert.match(half, /^PBS:!tfa!\{"totp"%3Atrue\}:000003E8::/);
    assert.equal(challengeOfTicket(publicKey, half, "a@pbs", 1000), '{"totp":true}');
    fc.assert(
      fc.property(fc.nat(ticket.length - 1), fc.constantFrom("A", ":", "%", "0"), (at, char) => {
        fc.pre(ticket[at] !== char);
        const changed = ticket.slice(0, at) + char + ticket.slice(at + 1);
        // The last base64 character of a signature holds unused bits.
        fc.pre(at < ticket.length - 1);
        assert.equal(userOfTicket(publicKey, changed, 0x65f0a1b2), undefined);
      }),
      { numRuns: 50 },
    );
  }
});

Deno.test("credentials are found in the forms that clients send, and in no other", () => {
  const token = { kind: "token", tokenid: "a@pbs!t", secret: "s-1" };
  assert.deepEqual(credentialsOf(undefined, "PBSAPIToken=a@pbs!t:s-1"), token);
  assert.deepEqual(credentialsOf(undefined, "PBSAPIToken a@pbs!t:s%2D1"), token);
  for (
    const bad of [
      "pbsapitoken=a@pbs!t:s",
      "PBSAPIToken:a@pbs!t:s",
      "PBSAPIToken=a@pbs:s",
      "PBSAPIToken=a@pbs!t=s",
      "Basic eDp5",
    ]
  ) {
    assert.equal(credentialsOf(undefined, bad), undefined, bad);
  }
  assert.deepEqual(credentialsOf("x=1; PBSAuthCookie=a%3Ab; y=2", "PBSAPIToken=a@pbs!t:s"), {
    kind: "cookie",
    ticket: "a:b",
  });
  assert.deepEqual(credentialsOf("PBSAuthCookie=plain; __Host-PBSAuthCookie=host", undefined), {
    kind: "cookie",
    ticket: "host",
  });
  assert.deepEqual(credentialsOf("other=1", "PBSAPIToken=a@pbs!t:s-1"), token);
  assert.equal(credentialsOf("pbsauthcookie=x", undefined), undefined);
});

Deno.test("authids split at the last @ and the token name", () => {
  assert.deepEqual({ ...tryParseAuthId("a!b@c@pbs!t.1") }, {
    text: "a!b@c@pbs!t.1",
    userid: "a!b@c@pbs",
    name: "a!b@c",
    realm: "pbs",
    token: "t.1",
  });
  for (const bad of ["", "a", "@pbs", "a@", "a b@pbs", "a/b@pbs", "a:b@pbs", "a@pbs!", `${"x".repeat(70)}@pbs`]) {
    assert.equal(tryParseAuthId(bad), undefined, bad);
  }
  assert.ok(owns("a@pbs", "a@pbs") && owns("a@pbs", "a@pbs!t"));
  assert.ok(!owns("a@pbs!t", "a@pbs") && !owns("a@pbs!t", "a@pbs!u") && !owns("b@pbs", "a@pbs!t"));
});

function callerOn(acl: string, authid: string, active = (_: string) => true): Caller {
  const id = tryParseAuthId(authid);
  assert.ok(id);
  return new Caller(id, AclTree.parse(acl, "acl.cfg", isRole), (one) => active(one.text));
}

Deno.test("US-40 US-63 US-64 deeper rules replace inherited ones, NoAccess ends access, only propagating rules reach below", () => {
  const acl =
    "acl:1:/:u@pbs:Admin\nacl:1:/datastore/a:u@pbs:DatastoreAudit\nacl:1:/datastore/b:u@pbs:NoAccess,Admin\n" +
    "acl:0:/datastore/c:u@pbs:DatastoreBackup\nacl:0:/datastore/d:u@pbs:NoAccess\nacl:0:/remote:u@pbs:RemoteAdmin\n";
  const caller = callerOn(acl, "u@pbs");
  assert.equal(caller.rights("/system/x").all, ALL_PRIVILEGES);
  assert.equal(caller.rights("/datastore/a").all, privilegeMask("Datastore.Audit"), "replaced, not merged");
  assert.equal(caller.rights("/datastore/a/ns/b").all, privilegeMask("Datastore.Audit"));
  assert.equal(caller.rights("/datastore/b/ns").all, 0, "NoAccess propagates like other roles");
  assert.equal(caller.rights("/datastore/d").all, 0);
  assert.equal(caller.rights("/datastore/d/ns").all, ALL_PRIVILEGES, "NoAccess for the node alone does not");
  assert.equal(caller.rights("/datastore/b").all, 0);
  assert.deepEqual(caller.rights("/datastore/c"), { all: ROLES.DatastoreBackup.mask, propagating: 0 });
  assert.equal(caller.rights("/datastore/c/ns").all, ALL_PRIVILEGES, "a rule for the node alone does not count below");
  assert.equal(caller.rights("/remote/r").all, ALL_PRIVILEGES);
  assert.equal(callerOn(acl, "other@pbs").rights("/").all, 0);
});

Deno.test("US-65 a token has at most the rights of its user; root@pam has all, its tokens have what they are given", () => {
  const acl = "acl:1:/:u@pbs:Audit\nacl:1:/:u@pbs!t:Admin\nacl:1:/:root@pam!t:DatastoreAudit\n";
  assert.equal(callerOn(acl, "u@pbs!t").rights("/x").all, ROLES.Audit.mask);
  assert.equal(callerOn(acl, "u@pbs!none").rights("/x").all, 0);
  assert.equal(callerOn(acl, "root@pam").rights("/x").all, ALL_PRIVILEGES);
  assert.equal(callerOn(acl, "root@pam!t").rights("/x").all, ROLES.DatastoreAudit.mask);
  assert.equal(callerOn(acl, "u@pbs!t", (id) => id !== "u@pbs!t").rights("/").all, 0);
});

Deno.test("checks say which privileges are missing where", () => {
  const caller = callerOn("acl:1:/datastore/s/a:u@pbs:DatastoreBackup\n", "u@pbs");
  assert.throws(() => caller.requireAny("/datastore/s", "Datastore.Audit", "Datastore.Backup"), {
    message: "permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/s",
    status: 403,
  });
  assert.equal(caller.requireFullOrOwn("/datastore/s/a", ["Datastore.Audit"], ["Datastore.Backup"]), true);
  assert.ok(caller.hasAnyBelow("/datastore/s", privilegeMask("Datastore.Backup")));
  assert.ok(!caller.hasAnyBelow("/datastore/s2", privilegeMask("Datastore.Backup")));
  assert.throws(() => caller.requireOwner("v@pbs"), { message: "backup owner check failed (u@pbs != v@pbs)" });
});

Deno.test("US-62 only the known ACL paths take new rules", () => {
  for (
    const path of [
      "/",
      "/access",
      "/access/openid/x",
      "/datastore/s/a/b/c/d/e/f/g",
      "/remote/r/s",
      "/system/network/interfaces/eth0",
      "/tape/pool/p",
    ]
  ) {
    assert.ok(isKnownAclPath(path), path);
  }
  for (
    const path of ["/foo", "/access/foo", "/datastore/s/a/b/c/d/e/f/g/h", "/system/foo", "/tape/x", "/system/status/x"]
  ) {
    assert.ok(!isKnownAclPath(path), path);
  }
});
