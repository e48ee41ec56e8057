import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { formatByteSize, parseByteSize } from "./byte_size.ts";

Deno.test("byte sizes are read and written back as PBS stores them", () => {
  const cases: [string, number, string][] = [
    ["1048576", 1048576, "1048576 B"],
    ["2G", 2e9, "2 GB"],
    ["2.5MiB", 2621440, "2.5 MiB"],
    ["1024KiB", 1048576, "1024 KiB"],
    ["1.23456789 GB", 1234567890, "1.235 GB"],
    ["0.5 KB", 500, "0.5 KB"],
    ["10MB", 10e6, "10 MB"],
    ["20 mib", 20971520, "20 MiB"],
    ["3Ti", 3 * 2 ** 40, "3 TiB"],
    ["7 b", 7, "7 B"],
  ];
  for (const [text, bytes, normal] of cases) {
    assert.deepEqual(parseByteSize(text), { bytes, text: normal });
    assert.equal(parseByteSize(normal).text, normal);
  }
  for (const bad of ["", "x", "1 x", "1 iB", "-1", "1e9", " 1", "1 KiBB", "9".repeat(65), "10000000 PiB"]) {
    assert.throws(() => parseByteSize(bad), FormatError, bad);
  }
});

Deno.test("sizes for people take the largest unit that fits", () => {
  assert.deepEqual([0, 1023, 1024, 1572864, 5 * 2 ** 30].map((bytes) => formatByteSize(bytes)), [
    "0 B",
    "1023 B",
    "1 KiB",
    "1.5 MiB",
    "5 GiB",
  ]);
  assert.equal(formatByteSize(1572864, { decimal: true }), "1.573 MB");
});

Deno.test("property: whole bytes come back, any text is a size or refused", () => {
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => assert.equal(parseByteSize(`${bytes}`).bytes, bytes)));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[0-9.]{1,4} ?[kMGi]{0,2}[bB]?$/)), (text) => {
    try {
      assert.ok(parseByteSize(text).bytes >= 0);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }));
});
