import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { concatBytes } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { openLibzstd } from "./libzstd.ts";
import { compressBuiltIn, compressLibrary, decompressBuiltIn, decompressLibrary, ZSTD_LEVEL } from "./zstd.ts";
import {
  decompressPiecesBuiltIn,
  decompressPiecesLibrary,
  zstdCompressStream,
  zstdDecompressStream,
} from "./zstd_stream.ts";

const library = openLibzstd();
type Decoder = (src: Uint8Array, maxSize: number, into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;
const decoders: [string, Decoder][] = [
  ["built in", async (src, maxSize, into) => await decompressBuiltIn(src, maxSize, into)],
];
const encoders: [string, (src: Uint8Array, dst: Uint8Array) => Promise<number | null>][] = [
  ["built in", (src, dst) => compressBuiltIn(src, dst, ZSTD_LEVEL)],
];
if (library !== null) {
  decoders.push(["libzstd", (src, maxSize, into) => decompressLibrary(library, src, maxSize, into)]);
  encoders.push(["libzstd", (src, dst) => compressLibrary(library, src, dst, ZSTD_LEVEL)]);
}

const MAX = 16 * 1024 * 1024;
const CHUNKS = new URL("../../test/vectors/datastore/malformed/", import.meta.url);
const body = (name: string) => Deno.readFileSync(new URL(name, CHUNKS)).subarray(12);
const plain = Deno.readFileSync(new URL("good-plain.chunk", CHUNKS)).subarray(12);

function sample(length: number): Uint8Array {
  const data = new Uint8Array(length);
  for (let i = 0; i < length; i++) data[i] = (i >> 9) ^ (i % 251);
  return data;
}

for (const [name, decompress] of decoders) {
  Deno.test(`zstd ${name}: reads frames of every kind that a foreign writer may produce`, async () => {
    for (
      const file of [
        "good-compressed",
        "zstd-checksum",
        "zstd-level19",
        "zstd-no-content-size",
      ]
    ) {
      assert.deepEqual(Buffer.from(await decompress(body(`${file}.chunk`), MAX)), Buffer.from(plain), file);
    }
    assert.deepEqual(Buffer.from(await decompress(body("zstd-skippable-frame-first.chunk"), MAX)), Buffer.from(plain));
    assert.deepEqual(Buffer.from(await decompress(body("zstd-two-frames.chunk"), MAX)), Buffer.from(plain));
    assert.equal(new TextDecoder().decode(await decompress(body("zstd-larger-than-data.chunk"), MAX)), "ab");
  });

  Deno.test(`zstd ${name}: refuses truncation, garbage, emptiness and bombs`, async () => {
    for (const file of ["zstd-trailing-garbage", "zstd-truncated", "zstd-empty-body", "zstd-bomb-20MiB"]) {
      await assert.rejects(() => decompress(body(`${file}.chunk`), MAX), FormatError, file);
    }
    const frame = zstdCompressSync(sample(5000));
    await assert.rejects(() => decompress(frame, 4999), FormatError);
    assert.equal((await decompress(frame, 5000)).length, 5000);
    await assert.rejects(() => decompress(concatBytes(frame, frame), 9999), FormatError);
    assert.equal((await decompress(concatBytes(frame, frame), 10000)).length, 10000);
  });

  Deno.test(`zstd ${name}: a bomb without announced size stops at the limit`, async () => {
    const params = { [constants.ZSTD_c_contentSizeFlag]: 0 };
    const bomb = zstdCompressSync(new Uint8Array(4 << 20), { params });
    await assert.rejects(() => decompress(bomb, 1 << 20), FormatError);
    assert.equal((await decompress(bomb, 4 << 20)).length, 4 << 20);
    assert.equal((await decompress(bomb, 8 << 20)).length, 4 << 20);
  });

  Deno.test(`zstd ${name}: content goes into the given buffer where it is large enough`, async () => {
    const frame = zstdCompressSync(sample(5000));
    const buffer = new Uint8Array(6000).fill(0xee);
    const content = await decompress(frame, 5500, buffer);
    assert.equal(content.buffer, buffer.buffer);
    assert.ok(Buffer.from(content).equals(sample(5000)));
    assert.equal(buffer[5500], 0xee, "nothing beyond the limit is touched");
    const elsewhere = await decompress(frame, MAX, new Uint8Array(4999));
    assert.ok(Buffer.from(elsewhere).equals(sample(5000)));
  });

  Deno.test(`zstd ${name}: mutated frames give content or a FormatError, nothing else`, async () => {
    const frame = zstdCompressSync(sample(3000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    await fc.assert(
      fc.asyncProperty(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(), async (at, flip, cut) => {
        const bad = Uint8Array.from(frame);
        bad[at] ^= flip;
        const mutated = cut % 3 === 0 ? bad.subarray(0, cut % frame.length) : bad;
        try {
          assert.ok((await decompress(mutated, 65536)).length <= 65536);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("zstd: libzstd and the built-in code read each other's frames", async () => {
  for (const length of [0, 1, 1000, 65535, 65536, 3_000_000]) {
    const data = sample(length);
    for (const [, compress] of encoders) {
      const dst = new Uint8Array(length + 1000);
      const size = await compress(data, dst);
      assert.ok(size !== null);
      for (const [, decompress] of decoders) {
        assert.deepEqual(Buffer.from(await decompress(dst.subarray(0, size), length)), Buffer.from(data));
      }
    }
  }
});

for (const [name, compress] of encoders) {
  Deno.test(`zstd ${name}: null when the result does not fit`, async () => {
    for (const length of [1, 500, 65536]) {
      const noise = crypto.getRandomValues(new Uint8Array(length));
      assert.equal(await compress(noise, new Uint8Array(length)), null);
    }
  });
}

Deno.test("zstd: many compressions at once keep their data apart", async () => {
  const inputs = Array.from({ length: 24 }, (_, i) => sample(200_000 + i).fill(i, 0, 1000));
  await Promise.all(encoders.flatMap(([, compress]) =>
    inputs.map(async (input) => {
      const dst = new Uint8Array(input.length);
      const size = await compress(input, dst);
      assert.ok(size !== null);
      const content = await decoders[0][1](dst.subarray(0, size), input.length);
      assert.ok(Buffer.from(content).equals(input));
    })
  ));
});

type PieceDecoder = (input: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>;
const streams: [string, PieceDecoder][] = [["built in", decompressPiecesBuiltIn]];
if (library !== null) streams.push(["libzstd", (input) => decompressPiecesLibrary(library, input)]);

for (const [name, decode] of streams) {
  const unpack = async (bytes: Uint8Array, size = 1000) => {
    const pieces = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.subarray(i * size, (i + 1) * size),
    );
    return concatBytes(...await Array.fromAsync(decode(ReadableStream.from(pieces))));
  };

  Deno.test(`zstd streams ${name}: what one compresses the other restores, damage is a FormatError`, async () => {
    const data = sample(3_000_000);
    const packed = concatBytes(
      ...await Array.fromAsync(ReadableStream.from([data]).pipeThrough(zstdCompressStream())),
    );
    for (const size of [3, 7777, packed.length]) assert.ok(Buffer.from(await unpack(packed, size)).equals(data));
    assert.ok(Buffer.from(await unpack(concatBytes(packed, packed))).equals(concatBytes(data, data)));
    assert.ok(Buffer.from(await unpack(body("zstd-skippable-frame-first.chunk"))).equals(plain));
    for (const cut of [0, 1, 4, 7, 1000, packed.length - 1]) {
      await assert.rejects(() => unpack(packed.subarray(0, cut)), FormatError, `cut at ${cut}`);
    }
    await assert.rejects(() => unpack(sample(100)), FormatError);
    await assert.rejects(() => unpack(concatBytes(packed, sample(100))), FormatError);
    const broken = async function* () {
      yield packed.subarray(0, 100);
      throw await Promise.resolve(new TypeError("the source failed"));
    };
    await assert.rejects(() => Array.fromAsync(decode(broken())), TypeError);
  });

  Deno.test(`zstd streams ${name}: a mutated stream gives data or a FormatError, nothing else`, async () => {
    const frame = zstdCompressSync(sample(200_000), { params: { [constants.ZSTD_c_checksumFlag]: 1 } });
    await fc.assert(
      fc.asyncProperty(fc.nat(frame.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const bad = Uint8Array.from(frame);
        bad[at] ^= flip;
        try {
          await unpack(bad);
        } catch (error) {
          assert.ok(error instanceof FormatError, String(error));
        }
      }),
      { numRuns: 60 },
    );
  });
}

Deno.test("zstd streams: a pipe through both transforms gives the data back", async () => {
  const data = sample(700_000);
  const through = ReadableStream.from([data]).pipeThrough(zstdCompressStream()).pipeThrough(zstdDecompressStream());
  assert.ok(Buffer.from(concatBytes(...await Array.fromAsync(through))).equals(data));
});
