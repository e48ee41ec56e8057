import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { formatRfc3339, parseRfc3339 } from "./rfc3339.ts";

Deno.test("times with Z and with an offset are the same instant", () => {
  for (const text of ["2024-06-05T14:00:00Z", "2024-06-05T16:00:00+02:00", "2024-06-05T10:30:00-03:30"]) {
    assert.equal(parseRfc3339(text), 1717596000);
  }
  assert.equal(formatRfc3339(1717596000, 120), "2024-06-05T16:00:00+02:00");
  assert.equal(formatRfc3339(1717596000, -210), "2024-06-05T10:30:00-03:30");
});

Deno.test("what is no time is refused", () => {
  const texts = ["", "2024-06-05", "2024-02-30T00:00:00Z", "2024-13-01T00:00:00Z", "2024-06-05T14:00:00.5Z"];
  for (const text of [...texts, "2024-06-05T24:00:00Z", "2024-06-05T14:00:00+24:00", "2024-06-05T14:00:00+0200"]) {
    assert.throws(() => parseRfc3339(text), FormatError, text);
  }
});

Deno.test("any second survives formatting at any offset", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -(2 ** 35), max: 2 ** 37 }),
      fc.integer({ min: -1439, max: 1439 }),
      (epoch, offset) => {
        assert.equal(parseRfc3339(formatRfc3339(epoch, offset)), epoch);
      },
    ),
  );
});
