import assert from "node:assert/strict";
import fc from "fast-check";
import { concatBytes } from "../../base/bytes.ts";
import { Http2Error } from "./errors.ts";
import { FrameParser, type FrameSink } from "./frame_parser.ts";
import * as frames from "./frames.ts";
import { FrameType } from "./frames.ts";

interface Seen {
  type: number;
  flags: number;
  streamId: number;
  payload: number[];
}

function collector(): { sink: FrameSink; seen: Seen[] } {
  const seen: Seen[] = [];
  return {
    seen,
    sink: {
      frame: (type, flags, streamId, payload) => void seen.push({ type, flags, streamId, payload: [...payload] }),
      dataStart: (streamId, flags) => void seen.push({ type: 0, flags, streamId, payload: [] }),
      dataPiece: (piece) => void seen[seen.length - 1].payload.push(...piece),
      dataEnd: () => {},
    },
  };
}

const frame = fc.record({
  type: fc.constantFrom(
    FrameType.DATA,
    FrameType.HEADERS,
    FrameType.SETTINGS,
    FrameType.GOAWAY,
    FrameType.CONTINUATION,
  ),
  flags: fc.nat(255).map((flags) => flags & ~frames.Flag.PADDED),
  streamId: fc.nat(0x7fff_ffff),
  payload: fc.uint8Array({ maxLength: 300 }),
});

/** Cuts `bytes` into pieces of the given lengths, over and over. */
function pieces(bytes: Uint8Array, lengths: number[]): Uint8Array[] {
  const cut: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const next = at + (lengths[i % lengths.length] ?? bytes.length);
    cut.push(bytes.subarray(at, next));
    at = next;
  }
  return cut;
}

const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });

Deno.test("frames come out as they went in, however the bytes are cut", () => {
  fc.assert(fc.property(fc.array(frame, { maxLength: 8 }), lengths, (sent, cuts) => {
    const bytes = concatBytes(
      frames.PREFACE,
      ...sent.map(({ type, flags, streamId, payload }) => frames.buildFrame(type, flags, streamId, payload)),
    );
    const { sink, seen } = collector();
    const parser = new FrameParser(sink, 16384, frames.PREFACE);
    for (const piece of pieces(bytes, cuts)) parser.push(piece);
    assert.deepEqual(seen, sent.map((one) => ({ ...one, payload: [...one.payload] })));
  }));
});

Deno.test("padding of DATA is taken off, however the bytes are cut", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(60), lengths, (data, padding, cuts) => {
    const payload = concatBytes(Uint8Array.of(padding), data, new Uint8Array(padding));
    const bytes = concatBytes(frames.buildFrame(0, 8, 1, payload), frames.buildFrame(0, 1, 1, data));
    const { sink, seen } = collector();
    const parser = new FrameParser(sink, 16384);
    for (const piece of pieces(bytes, cuts)) parser.push(piece);
    assert.deepEqual(seen.map((one) => one.payload), [[...data], [...data]]);
  }));
});

Deno.test("frames of unknown type are skipped without keeping their payload", () => {
  const { sink, seen } = collector();
  const parser = new FrameParser(sink, 4 << 20);
  parser.push(concatBytes(frames.buildFrame(0xbe, 0, 3, new Uint8Array(1 << 20)), frames.buildSettingsAck()));
  assert.deepEqual(seen.map((one) => [one.type, one.payload.length]), [[0xbe, 0], [4, 0]]);
});

const REFUSED: readonly (readonly [what: string, code: number, bytes: Uint8Array])[] = [
  ["a frame above the announced size", 6, frames.buildFrameHeader(16385, 0, 0, 1)],
  ["a header frame of a megabyte", 6, frames.buildFrameHeader(1 << 20, 1, 4, 1)],
  ["PING that has not 8 octets", 6, frames.buildFrameHeader(7, 6, 0, 0)],
  ["RST_STREAM that has not 4 octets", 6, frames.buildFrameHeader(5, 3, 0, 1)],
  ["WINDOW_UPDATE that has not 4 octets", 6, frames.buildFrameHeader(3, 8, 0, 0)],
  ["PRIORITY that has not 5 octets", 6, frames.buildFrameHeader(4, 2, 0, 1)],
  ["padding longer than the DATA frame", 1, frames.buildFrame(0, 8, 1, Uint8Array.of(3, 1, 1))],
  ["a padded DATA frame without payload", 6, frames.buildFrameHeader(0, 0, 8, 1)],
];

for (const [what, code, bytes] of REFUSED) {
  Deno.test(`frame parser refuses: ${what}`, () => {
    const parser = new FrameParser(collector().sink, what.includes("megabyte") ? 4 << 20 : 16384);
    assert.throws(() => parser.push(bytes), (error) => error instanceof Http2Error && error.code === code);
  });
}

Deno.test("frame parser refuses a peer that does not begin with the preface", () => {
  const parser = new FrameParser(collector().sink, 16384, frames.PREFACE);
  parser.push(frames.PREFACE.subarray(0, 10));
  assert.throws(() => parser.push(new TextEncoder().encode("GET / HTTP/1.1")), Http2Error);
});

Deno.test("any bytes are frames or an error of HTTP/2, and pieces add up to what was announced", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), lengths, (bytes, cuts) => {
      let open = -1;
      const parser = new FrameParser({
        frame: (_type, _flags, _streamId, payload) => assert.ok(payload.length <= 65536),
        dataStart: (_streamId, _flags, length) => open = length,
        dataPiece: (piece) => open -= piece.length,
        dataEnd: () => assert.ok(open >= 0),
      }, 16384);
      try {
        for (const piece of pieces(bytes, cuts)) parser.push(piece);
      } catch (error) {
        assert.ok(error instanceof Http2Error, String(error));
      }
    }),
    { numRuns: 2000 },
  );
});
