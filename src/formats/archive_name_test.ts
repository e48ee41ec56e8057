import assert from "node:assert/strict";
import fc from "fast-check";
import { DozoError } from "../base/errors.ts";
import {
  archiveKind,
  archiveName,
  CATALOG_NAME,
  CLIENT_LOG_NAME,
  ENCRYPTED_KEY_NAME,
  isStoredName,
  MANIFEST_NAME,
  splitArchiveNames,
  storedName,
} from "./archive_name.ts";

Deno.test("FF-19 client names become the stored names of a snapshot", () => {
  const known = {
    "index.json": MANIFEST_NAME,
    "catalog.pcat1": CATALOG_NAME,
    "client.log": CLIENT_LOG_NAME,
    "rsa-encrypted.key": ENCRYPTED_KEY_NAME,
    "qemu-server.conf": "qemu-server.conf.blob",
    "drive-scsi0.img": "drive-scsi0.img.fidx",
    "fw.conf": "fw.conf.blob",
    "pct.conf": "pct.conf.blob",
    "root.pxar": "root.pxar.didx",
    "root.mpxar": "root.mpxar.didx",
    "root.ppxar": "root.ppxar.didx",
  };
  const kinds = { fidx: "fixed", didx: "dynamic", blob: "blob" } as Record<string, string>;
  for (const [name, stored] of Object.entries(known)) {
    assert.equal(storedName(name), stored);
    assert.equal(storedName(stored), stored);
    assert.equal(archiveName(stored), name);
    assert.equal(archiveKind(stored), kinds[stored.slice(-4)]);
  }
});

Deno.test("names that could leave the snapshot or say no kind are refused", () => {
  const names = [
    "",
    ".",
    "..",
    "../x.pxar",
    "a/b.img",
    ".hidden.conf",
    "-x.conf",
    "x",
    "x.txt",
    "x.didx/..",
    "x\n.blob",
  ];
  for (const name of [...names, "ü.conf", `${"x".repeat(250)}.pxar`, ".didx", "x.__proto__", "x.constructor"]) {
    assert.throws(() => storedName(name), DozoError, name);
    assert.equal(isStoredName(name), false, name);
    assert.throws(() => archiveKind(name), DozoError, name);
  }
});

Deno.test("whatever is accepted is a plain file name", () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.constantFrom(".pxar", ".img", ".log", ".blob", ""), (text, end) => {
      let stored;
      try {
        stored = storedName(text + end);
      } catch (error) {
        assert.ok(error instanceof DozoError);
        return;
      }
      assert.match(stored, /^[A-Za-z0-9_][A-Za-z0-9._-]*\.(fidx|didx|blob)$/);
      assert.equal(storedName(stored), stored);
    }),
  );
});

Deno.test("all names of a file archive lead to both halves of its split form", () => {
  for (const name of ["root.pxar", "root.pxar.didx", "root.mpxar", "root.mpxar.didx", "root.ppxar.didx"]) {
    assert.deepEqual(splitArchiveNames(name), { metadata: "root.mpxar.didx", payload: "root.ppxar.didx" });
  }
  assert.equal(splitArchiveNames("drive.img"), null);
});
