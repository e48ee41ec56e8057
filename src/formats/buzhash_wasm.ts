/**
 * The rolling hash in WebAssembly, for long stretches in which no cut is expected. It only finds out where there is none, block
 * by block; the exact place is found by the plain loop of `chunker.ts`.
 *
 * With P(i) = rotl(P(i-1), 1) xor T[byte i], the hash of the 64 bytes up to i is P(i) xor P(i-64), because 64 rotations of a
 * 32-bit word change nothing. So a block takes one table look-up per byte instead of two, two halves of it advance together,
 * and the cut condition is tested for four positions at once. A block and its values of P fit into the first-level cache.
 */
import { BUZHASH_TABLE } from "./buzhash_table.ts";

const WINDOW = 64;
/** Bytes that each of the two lanes takes of a block. */
const LANE = 4096;
/** Bytes of a block. */
export const WASM_BLOCK = 2 * LANE;
/** Bytes copied into the module's memory at a time. */
const PIECE = 64 << 10;

/** Memory: table, values of P for each lane (the window before the lane, then the lane), data (the window before it, then up to a piece). */
const TABLE_AT = 0;
const P_AT = [1024, 1024 + 4 * (WINDOW + LANE)] as const;
const DATA_AT = 64 << 10;
const PAGES = 2;

/** Bytes handled by one turn of the unrolled loops. */
const STEP = 8;
/** Vectors of four positions per lane that one turn of the test loop looks at. */
const VECTORS = 4;

type Code = readonly number[];

const I32 = 0x7f;
const V128 = 0x7b;

function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (; value >= 0x80; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value];
}

function signed(value: number): number[] {
  const bytes: number[] = [];
  for (; value < -0x40 || value >= 0x40; value >>= 7) bytes.push((value & 0x7f) | 0x80);
  return [...bytes, value & 0x7f];
}

/** The instructions in use, as functions from operands to code. */
const get = (local: number): Code => [0x20, local];
const set = (local: number, value: Code): Code => [...value, 0x21, local];
const tee = (local: number, value: Code): Code => [...value, 0x22, local];
const int = (value: number): Code => [0x41, ...signed(value)];
const binary = (opcode: number) => (a: Code, b: Code): Code => [...a, ...b, opcode];
const add = binary(0x6a);
const and = binary(0x71);
const xor = binary(0x73);
const shl = binary(0x74);
const shr = binary(0x76);
const rotl = binary(0x77);
const lessThan = binary(0x49);
const load = (at: Code, offset: number): Code => [...at, 0x28, 2, ...unsigned(offset)];
const loadByte = (at: Code, offset: number): Code => [...at, 0x2d, 0, ...unsigned(offset)];
const store = (at: Code, offset: number, value: Code): Code => [...at, ...value, 0x36, 2, ...unsigned(offset)];
const repeatWhile = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];
const returnIf = (condition: Code, value: Code): Code => [...condition, 0x04, 0x40, ...value, 0x0f, 0x0b];
const simd = (opcode: number) => (a: Code, b: Code): Code => [...a, ...b, 0xfd, opcode];
const vAnd = simd(0x4e);
const vOr = simd(0x50);
const vXor = simd(0x51);
const vGreater = simd(0x3b);
const vLoad = (at: Code, offset: number): Code => [...at, 0xfd, 0x00, 4, ...unsigned(offset)];
const splat = (value: Code): Code => [...value, 0xfd, 0x11];
const anyTrue = (value: Code): Code => [...value, 0xfd, 0x53];

const times = (count: number, body: (k: number) => Code): Code =>
  Array.from({ length: count }, (_, k) => body(k)).flat();
const both = (body: (lane: 0 | 1) => Code): Code => [...body(0), ...body(1)];

/**
 * `scan(p, end, mask, limit)`: start of the first block in [p, end) that has a position where (hash and mask) > limit, or 0.
 * 64 bytes before p must be there.
 */
function scanFunction(): Code {
  const [p, end, mask, limit, q, x0, x1, w0, w1, vMask, vLimit] = Array.from({ length: 11 }, (_, i) => i);
  const x = [x0, x1] as const;
  const w = [w0, w1] as const;
  const advance = (lane: 0 | 1, tableOffset: Code): Code =>
    set(x[lane], xor(rotl(get(x[lane]), int(1)), load(tableOffset, TABLE_AT)));
  // Byte k of a loaded word, times four: the offset in the table.
  const entry = (word: Code, k: number): Code =>
    and(k === 0 ? shl(word, int(2)) : shr(word, int(8 * k - 2)), int(0x3fc));
  const at = (byte: number, lane: number): number => byte + lane * LANE;

  const warmUp: Code = [
    ...both((lane) => set(x[lane], int(0))),
    ...set(q, int(0)),
    ...repeatWhile(
      both((lane) => [
        // The data lies at DATA_AT, far enough for the window before p to have a positive offset.
        ...advance(lane, shl(loadByte(add(add(get(p), shr(get(q), int(2))), int(-WINDOW)), at(0, lane)), int(2))),
        ...store(get(q), P_AT[lane], get(x[lane])),
      ]),
      lessThan(tee(q, add(get(q), int(4))), int(4 * WINDOW)),
    ),
  ];
  const hash: Code = [
    ...set(q, int(0)),
    ...repeatWhile(
      [
        ...times(STEP, (k) => [
          ...(k % 4 === 0 ? both((lane) => set(w[lane], load(get(p), at(k, lane)))) : []),
          ...both((lane) => [
            ...advance(lane, entry(get(w[lane]), k % 4)),
            ...store(get(q), P_AT[lane] + 4 * (WINDOW + k), get(x[lane])),
          ]),
        ]),
        ...set(p, add(get(p), int(STEP))),
      ],
      lessThan(tee(q, add(get(q), int(4 * STEP))), int(4 * LANE)),
    ),
  ];
  const meets = (lane: number, k: number): Code =>
    vGreater(
      vAnd(
        vXor(vLoad(get(q), P_AT[lane] + 16 * k + 4 * WINDOW), vLoad(get(q), P_AT[lane] + 16 * k)),
        get(vMask),
      ),
      get(vLimit),
    );
  const tests = Array.from({ length: 2 * VECTORS }, (_, i) => meets(i % 2, i >> 1));
  const test: Code = [
    ...set(q, int(0)),
    ...repeatWhile(
      returnIf(anyTrue(tests.reduce((all, one) => vOr(all, one))), add(get(p), int(-LANE))),
      lessThan(tee(q, add(get(q), int(16 * VECTORS))), int(4 * LANE)),
    ),
  ];
  return [
    ...set(vMask, splat(get(mask))),
    ...set(vLimit, splat(get(limit))),
    ...repeatWhile(
      [...warmUp, ...hash, ...test],
      // The loop over the first lane has moved p to its end: the block ends one lane further.
      lessThan(tee(p, add(get(p), int(LANE))), get(end)),
    ),
    ...int(0),
  ];
}

function moduleBytes(): Uint8Array<ArrayBuffer> {
  const vector = (items: readonly Code[]): Code => [...unsigned(items.length), ...items.flat()];
  const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];
  const name = (text: string): Code => [...unsigned(text.length), ...new TextEncoder().encode(text)];
  const locals = vector([[5, I32], [2, V128]]);
  const body = [...locals, ...scanFunction(), 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector([[0x60, ...vector([[I32], [I32], [I32], [I32]]), ...vector([[I32]])]])),
    ...section(3, vector([[0]])),
    ...section(5, vector([[0, PAGES]])),
    ...section(7, vector([[...name("scan"), 0, 0], [...name("memory"), 2, 0]])),
    ...section(10, vector([[...unsigned(body.length), ...body]])),
  ]);
}

interface Instance {
  readonly memory: Uint8Array;
  scan(p: number, end: number, mask: number, limit: number): number;
}

function instantiate(): Instance | undefined {
  try {
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes()));
    const memory = new Uint8Array((exports.memory as WebAssembly.Memory).buffer);
    memory.set(new Uint8Array(BUZHASH_TABLE.buffer), TABLE_AT);
    return { memory, scan: exports.scan as Instance["scan"] };
  } catch {
    // No WebAssembly or no vector instructions here: the plain loop does all the work.
    return undefined;
  }
}

let instance: Instance | undefined | null = null;

/** True when the module runs here. */
export function hasWasm(): boolean {
  if (instance === null) instance = instantiate();
  return instance !== undefined;
}

/**
 * Looks in `data[from, to)` for a position where the hash of the 64 bytes up to it meets the cut condition for `mask`. Gives a
 * position before which there is none, as far on as whole blocks of {@link WASM_BLOCK} bytes allow: the start of the block with the first such position, or
 * less than a block before `to`. 64 bytes of `data` before `from` are looked at.
 */
export function skipUncut(data: Uint8Array, from: number, to: number, mask: number): number {
  if (!hasWasm()) return from;
  const { memory, scan } = instance as Instance;
  let at = from;
  while (to - at >= WASM_BLOCK) {
    const length = Math.min(PIECE, (to - at) & -WASM_BLOCK);
    memory.set(data.subarray(at - WINDOW, at + length), DATA_AT - WINDOW);
    const block = scan(DATA_AT, DATA_AT + length, mask, mask - 3);
    if (block !== 0) return at + block - DATA_AT;
    at += length;
  }
  return at;
}
