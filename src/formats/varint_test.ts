import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex, toHex } from "../base/bytes.ts";
import { pushSvarint, pushVarint, readSvarint, readVarint } from "./varint.ts";

const VECTORS = JSON.parse(
  Deno.readTextFileSync(new URL("../../test/vectors/spec/test-vectors.json", import.meta.url)),
).catalog;

function reader(bytes: Uint8Array) {
  let offset = 0;
  return {
    get offset() {
      return offset;
    },
    byte(): number {
      if (offset >= bytes.length) throw new RangeError("end");
      return bytes[offset++];
    },
  };
}

function encoded(
  push: (out: number[], value: number | bigint) => void,
  value: number | bigint,
): Uint8Array<ArrayBuffer> {
  const out: number[] = [];
  push(out, value);
  return Uint8Array.from(out);
}

Deno.test("FF-17 numbers of the catalog, unsigned and signed, both directions", () => {
  for (const [text, hex] of Object.entries<string>(VECTORS.varint)) {
    assert.equal(toHex(encoded(pushVarint, BigInt(text))), hex);
    if (!Number.isSafeInteger(Number(text))) assert.throws(() => readVarint(reader(fromHex(hex))), /too large/);
    else assert.equal(readVarint(reader(fromHex(hex))), Number(text));
  }
  for (const [text, hex] of Object.entries<string>(VECTORS.svarint)) {
    assert.equal(toHex(encoded(pushSvarint, BigInt(text))), hex);
    if (!Number.isSafeInteger(Number(text))) assert.throws(() => readSvarint(reader(fromHex(hex))), /too large/);
    else assert.equal(readSvarint(reader(fromHex(hex))), Number(text));
  }
});

Deno.test("over-long numbers are refused", () => {
  assert.throws(() => readVarint(reader(new Uint8Array(11).fill(0x80))), /over-long/);
  assert.throws(() => readSvarint(reader(new Uint8Array(12).fill(0x81))), /over-long/);
});

Deno.test("property: numbers come back", () => {
  fc.assert(fc.property(fc.maxSafeInteger(), (value) => {
    assert.equal(readSvarint(reader(encoded(pushSvarint, value))), value);
    const magnitude = Math.abs(value);
    assert.equal(readVarint(reader(encoded(pushVarint, magnitude))), magnitude);
  }));
});
