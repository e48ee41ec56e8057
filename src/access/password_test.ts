import assert from "node:assert/strict";
import { crypt, hasCrypt } from "../native/crypt.ts";
import { hashPassword, verifyPassword } from "./password.ts";
import { shaCrypt } from "./sha_crypt.ts";

const SHADOW = new URL("../../test/vectors/config/etc/shadow.json", import.meta.url);
const PASSWORDS: Record<string, string> = {
  backup: "secret123",
  alice: "alicepass1",
  bob: "bobpass123",
  carol: "carolpass1",
};

Deno.test({
  name: "yescrypt hashes written by PBS verify",
  ignore: !hasCrypt(),
  fn: async () => {
    const hashes: Record<string, string> = JSON.parse(await Deno.readTextFile(SHADOW));
    for (const [name, password] of Object.entries(PASSWORDS)) {
      assert.equal(await verifyPassword(password, hashes[name]), true, name);
      assert.equal(await verifyPassword(`${password} `, hashes[name]), false, name);
    }
  },
});

Deno.test({
  name: "bcrypt hashes verify",
  ignore: !hasCrypt(),
  fn: async () => {
    const hash = "$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert.equal(await verifyPassword("U*U", hash), true);
    assert.equal(await verifyPassword("U*V", hash), false);
  },
});

Deno.test("SHA-crypt gives the hashes of its specification", () => {
  for (
    const hash of [
      "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
    ]
  ) assert.equal(shaCrypt("Hello world!", hash), hash);
});

Deno.test({
  name: "SHA-crypt agrees with libcrypt for passwords and salts of many lengths",
  ignore: !hasCrypt(),
  fn: async () => {
    for (const kind of ["5", "6"]) {
      for (const length of [0, 1, 15, 31, 32, 33, 63, 64, 65, 130]) {
        const password = "pä".repeat(length).slice(0, length);
        const setting = `$${kind}$rounds=1000$${"sAlt./0123456789".slice(0, length % 17)}$`;
        assert.equal(shaCrypt(password, setting), await crypt(password, setting), `${setting} ${length}`);
      }
    }
  },
});

Deno.test("a new hash verifies its password and no other", async () => {
  const hash = await hashPassword("correct horse");
  assert.match(hash, hasCrypt() ? /^\$y\$j9T\$/ : /^\$5\$/);
  assert.equal(await verifyPassword("correct horse", hash), true);
  assert.equal(await verifyPassword("correct hors", hash), false);
  assert.equal(await verifyPassword("x", "not a hash"), false);
});
