import assert from "node:assert/strict";
import { toHex } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { pbkdf2BuiltIn, pbkdf2Library, pbkdf2Sha256, scrypt, scryptBuiltIn, scryptLibrary } from "./key_derivation.ts";
import { openLibcrypto } from "./libcrypto.ts";

const library = openLibcrypto();
const password = new TextEncoder().encode("password");
const salt = Uint8Array.from({ length: 32 }, (_, i) => i);

Deno.test("scrypt and PBKDF2: the vectors of the key file format", async () => {
  assert.equal(
    toHex(await scrypt(password, salt, { n: 65536, r: 8, p: 1 }, 32)),
    "696fdb19d55e59b19a92dcfd4e3a9dc0418d3b50337b0c7c13ae55f5d8f2c0c5",
  );
  assert.equal(
    toHex(await pbkdf2Sha256(password, salt, 65535, 32)),
    "ac04b3c465c7fd74888b76ebaf2cb137a295ec86aa7b303d50d0d67812231286",
  );
});

Deno.test("scrypt and PBKDF2: libcrypto agrees with the runtime's own code", { ignore: library === null }, async () => {
  assert.ok(library);
  for (const secret of [password, new Uint8Array(), new Uint8Array(200).fill(0xc3)]) {
    for (const cost of [{ n: 2, r: 1, p: 1 }, { n: 1024, r: 8, p: 3 }]) {
      assert.equal(
        toHex(await scryptLibrary(library, secret, salt, cost, 45)),
        toHex(await scryptBuiltIn(secret, salt, cost, 45)),
      );
    }
    assert.equal(
      toHex(await pbkdf2Library(library, secret, new Uint8Array(), 10, 70)),
      toHex(await pbkdf2BuiltIn(secret, new Uint8Array(), 10, 70)),
    );
  }
});

Deno.test("scrypt and PBKDF2: parameters from a hostile key file are refused before memory is taken", async () => {
  for (
    const cost of [
      { n: 0, r: 8, p: 1 },
      { n: 1, r: 8, p: 1 },
      { n: 1000, r: 8, p: 1 },
      { n: 2 ** 40, r: 8, p: 1 },
      { n: 1024, r: 2 ** 20, p: 2 ** 10 },
      { n: 1024, r: -1, p: 1 },
      { n: NaN, r: 8, p: 1 },
    ]
  ) await assert.rejects(() => scrypt(password, salt, cost, 32), DozoError, JSON.stringify(cost));
  for (const iterations of [0, -1, 1.5, 2 ** 31]) {
    await assert.rejects(() => pbkdf2Sha256(password, salt, iterations, 32), DozoError);
  }
});
