import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes, fromHex, toHex } from "../../../base/bytes.ts";
import { Http2Error } from "../errors.ts";
import { HpackDecoder } from "./decoder.ts";
import type { Field } from "./dynamic_table.ts";
import { HpackEncoder } from "./encoder.ts";
import { huffmanDecode, huffmanEncode, huffmanLength } from "./huffman.ts";

const LIMIT = 1 << 20;
/** Text of one char per octet. */
const octets = fc.uint8Array({ maxLength: 60 }).map((bytes) => String.fromCharCode(...bytes));
const field: fc.Arbitrary<Field> = fc.tuple(
  fc.oneof(fc.constantFrom(":path", ":method", "content-type", "cookie", "x-a", "x-b"), octets),
  fc.oneof(fc.constantFrom("GET", "200", "application/json;charset=UTF-8", ""), octets),
);

function compressionError(work: () => unknown): void {
  assert.throws(work, (error) => error instanceof Http2Error && error.code === 9 && error.streamId === undefined);
}

Deno.test("Huffman strings survive the way there and back", () => {
  fc.assert(fc.property(octets, (text) => {
    const out = new Uint8Array(huffmanLength(text));
    assert.equal(huffmanEncode(text, out, 0), out.length);
    assert.equal(huffmanDecode(out), text);
  }));
});

Deno.test("Huffman code gives the bytes of RFC 7541 C.4.1 and C.6.1", () => {
  for (
    const [text, hex] of [["www.example.com", "f1e3c2e5f23a6ba0ab90f4ff"], ["302", "6402"], ["private", "aec3771a4b"]]
  ) {
    const out = new Uint8Array(huffmanLength(text));
    huffmanEncode(text, out, 0);
    assert.equal(toHex(out), hex);
  }
});

Deno.test("header lists survive the way there and back, whatever the table sizes along it", () => {
  const step = fc.record({ fields: fc.array(field, { maxLength: 12 }), tableSize: fc.option(fc.nat(5000)) });
  fc.assert(fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
    const encoder = new HpackEncoder();
    const decoder = new HpackDecoder(4096);
    for (const { fields, tableSize } of steps) {
      if (tableSize !== null) encoder.setMaxTableSize(tableSize);
      assert.deepEqual(decoder.decode(encoder.encode(fields), LIMIT).fields, fields);
    }
  }));
});

Deno.test("a repeated header list is a few bytes, and secrets are in no table", () => {
  const encoder = new HpackEncoder();
  const answer: Field[] = [[":status", "200"], ["content-type", "application/json;charset=UTF-8"], ["x-dozo", "1"]];
  const first = encoder.encode(answer);
  assert.ok(first.length > 20);
  assert.equal(encoder.encode(answer).length, 3);
  const secret: Field[] = [["authorization", "PBSAPIToken root@pam!t:secret"]];
  assert.equal(encoder.encode(secret)[0] & 0xf0, 0x10);
  assert.deepEqual(encoder.encode(secret), encoder.encode(secret));
});

Deno.test("a lowered and raised table size is announced with its lowest point", () => {
  const encoder = new HpackEncoder();
  encoder.setMaxTableSize(0);
  encoder.setMaxTableSize(4096);
  assert.equal(toHex(encoder.encode([[":method", "GET"]])), "203fe11f82");
});

Deno.test("a list above the limit is decoded to its end so that the table stays right, but not kept", () => {
  const encoder = new HpackEncoder();
  const decoder = new HpackDecoder();
  const large: Field[] = [["x-a", "1".repeat(300)], ["x-b", "2".repeat(300)]];
  const { fields, tooLarge } = decoder.decode(encoder.encode(large), 400);
  assert.equal(tooLarge, true);
  assert.equal(fields.length, 1);
  assert.deepEqual(decoder.decode(encoder.encode(large), LIMIT), { fields: large, tooLarge: false });
});

const MALFORMED: readonly (readonly [what: string, hex: string])[] = [
  ["index 0", "80"],
  ["index beyond both tables", "be"],
  ["name index beyond both tables", "7f0000"],
  ["size update above the announced size", "3fe21f"],
  ["size update behind a field", "8220"],
  ["integer that ends early", "ff"],
  ["integer without end", "ffffffffffffffffff7f"],
  ["string longer than the block", "000a61"],
  ["missing value", "000161"],
  ["padding of more than 7 bits", "000161" + "82f1ff"],
  ["padding of zeros", "00016182" + "f100"],
  ["EOS in a string", "000161" + "84ffffffff"],
];

for (const [what, hex] of MALFORMED) {
  Deno.test(`HPACK decoder refuses: ${what}`, () =>
    compressionError(() => new HpackDecoder().decode(fromHex(hex), LIMIT)));
}

Deno.test("mutated header blocks decode or fail as a compression error, and never outgrow their input", () => {
  const encoder = new HpackEncoder();
  const valid = [
    encoder.encode([[":method", "POST"], [":path", "/blob?a=b"], [":scheme", "https"], ["x-k", "value value"]]),
    encoder.encode([[":method", "GET"], ["x-k", "value value"], ["cookie", "a=b"]]),
  ];
  const change = fc.tuple(fc.nat(200), fc.nat(255));
  fc.assert(
    fc.property(
      fc.array(change, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 40 }),
      fc.nat(200),
      (changes, tail, cut) => {
        const decoder = new HpackDecoder();
        for (const block of valid) {
          const mutated = concatBytes(block.subarray(0, Math.max(1, cut)), tail);
          for (const [at, value] of changes) mutated[at % mutated.length] = value;
          try {
            const { fields } = decoder.decode(mutated, 16384);
            assert.ok(fields.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0) <= 16384);
          } catch (error) {
            assert.ok(error instanceof Http2Error && error.code === 9, String(error));
            return;
          }
        }
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("a block that repeats the largest table entry stays within the list limit", () => {
  const decoder = new HpackDecoder();
  const entry = concatBytes(fromHex("400161"), lengthOf(3300), new Uint8Array(3300).fill(97));
  const block = concatBytes(entry, new Uint8Array(60000).fill(0xbe));
  const { fields, tooLarge } = decoder.decode(block, 16384);
  assert.equal(tooLarge, true);
  assert.ok(fields.length <= 4);
});

function lengthOf(length: number): Uint8Array {
  const rest = length - 127;
  return Uint8Array.of(127, (rest & 127) | 128, rest >>> 7);
}
