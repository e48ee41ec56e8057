import assert from "node:assert/strict";
import { loadFingerprint, storeFingerprint } from "./fingerprints.ts";
import { countRepository, knownRepositories } from "./repository_list.ts";
import { inPrivateHome } from "./testing.ts";
import { dropTicket, loadTicket, storeTicket } from "./tickets.ts";

const repository = { authId: "a@pbs", server: "host", port: 8007, datastore: "store" };

Deno.test("CL-170 a ticket is kept per server and user, mode 0600, until it is two hours old", () =>
  inPrivateHome((home) => {
    storeTicket(repository, { ticket: "PBS:a", token: "t", timestamp: 1000 }, 1000);
    assert.equal(Deno.statSync(`${home}/proxmox-backup/tickets`).mode! & 0o777, 0o600);
    assert.equal(loadTicket(repository, 1000 + 7139)?.ticket, "PBS:a");
    assert.equal(loadTicket(repository, 1000 + 7140), undefined);
    assert.equal(loadTicket({ ...repository, authId: "b@pbs" }, 1001), undefined);
    assert.equal(loadTicket({ ...repository, port: 1 }, 1001), undefined);
  }));

Deno.test("CL-171 logout forgets the ticket", () =>
  inPrivateHome(() => {
    storeTicket(repository, { ticket: "PBS:a", token: "t", timestamp: 1000 }, 1000);
    assert.equal(dropTicket(repository, 1001), true);
    assert.equal(loadTicket(repository, 1001), undefined);
  }));

Deno.test("a damaged ticket file costs a login, not the command", () =>
  inPrivateHome((home) => {
    Deno.mkdirSync(`${home}/proxmox-backup`);
    for (const text of ["{", "[]", "null", '{"host":{"a@pbs":{"ticket":5}}}', '{"host":7}']) {
      Deno.writeTextFileSync(`${home}/proxmox-backup/tickets`, text);
      assert.equal(loadTicket(repository, 1000), undefined, text);
    }
  }));

Deno.test("an accepted fingerprint is remembered per server and can be replaced", () =>
  inPrivateHome(() => {
    storeFingerprint("one", "AA:BB");
    storeFingerprint("two", "CC:DD");
    storeFingerprint("one", "EE:FF");
    assert.equal(loadFingerprint("one"), "ee:ff");
    assert.equal(loadFingerprint("two"), "cc:dd");
    assert.equal(loadFingerprint("three"), undefined);
  }));

Deno.test("CL-11 the ten most used repositories are counted", () =>
  inPrivateHome(() => {
    for (let i = 0; i < 12; i++) {
      countRepository(`store${i}`);
      countRepository("often");
    }
    const known = knownRepositories();
    assert.equal(known.length, 10);
    assert.equal(known[0], "often");
    assert.ok(known.includes("store11"));
  }));
