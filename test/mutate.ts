/** Damages for fuzz tests: repeatable changes of good bytes as bit rot, cut-off files and hostile writers make them. */

/** Repeatable pseudo-random numbers below `bound` (mulberry32). */
export function randomSource(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ state >>> 15, state | 1);
    value ^= value + Math.imul(value ^ value >>> 7, value | 61);
    return ((value ^ value >>> 14) >>> 0) % bound;
  };
}

const NASTY = [0, 1, 0x7f, 0x80, 0xff];

/** `count` damaged copies of `good`: flipped bits, nasty bytes and integers, cuts, insertions, repeated parts. */
export function* mutations(good: Uint8Array, count: number, seed = 1): Generator<Uint8Array<ArrayBuffer>, void, void> {
  const random = randomSource(seed);
  for (let i = 0; i < count; i++) {
    let bytes = new Uint8Array(good);
    for (let step = random(3); step >= 0; step--) bytes = mutate(bytes, random);
    yield bytes;
  }
}

function mutate(bytes: Uint8Array<ArrayBuffer>, random: (bound: number) => number): Uint8Array<ArrayBuffer> {
  const at = random(bytes.length + 1);
  const length = Math.min(bytes.length - at, 1 + random(16));
  switch (random(7)) {
    case 0:
      if (at < bytes.length) bytes[at] ^= 1 << random(8);
      return bytes;
    case 1:
      if (at < bytes.length) bytes[at] = NASTY[random(NASTY.length)];
      return bytes;
    case 2:
      bytes.fill(NASTY[random(NASTY.length)], at, at + (random(2) === 0 ? 4 : 8));
      return bytes;
    case 3:
      return bytes.slice(0, at);
    case 4:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 5:
      return joined(bytes.subarray(0, at), bytes.subarray(at, at + length), bytes.subarray(at));
    default:
      return joined(bytes.subarray(0, at), Uint8Array.from({ length }, () => random(256)), bytes.subarray(at));
  }
}

function joined(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
