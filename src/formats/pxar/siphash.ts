/** SipHash-2-4 with the fixed keys of pxar lookup tables (`spec/pxar.md` §5), on 32-bit halves. */

const K0_HI = 0x83ac3f1c, K0_LO = 0xfbb450db, K1_HI = 0xaa4f1b68, K1_LO = 0x79369fbd;

/** Result of the last {@link nameHash}: low half, high half. Reused, so copy what you keep. */
export const hashHalves = new Uint32Array(2);

const state = new Uint32Array(8);

function round(s: Uint32Array): void {
  let v0l = s[0], v0h = s[1], v1l = s[2], v1h = s[3], v2l = s[4], v2h = s[5], v3l = s[6], v3h = s[7];
  let low: number, t: number;
  // v0 += v1; v1 = rotl(v1, 13) ^ v0; v0 = rotl(v0, 32)
  low = v0l + v1l;
  v0h = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) >>> 0;
  v0l = low >>> 0;
  t = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
  v1h = (((v1h << 13) | (v1l >>> 19)) ^ v0h) >>> 0;
  v1l = t >>> 0;
  t = v0l;
  v0l = v0h;
  v0h = t;
  // v2 += v3; v3 = rotl(v3, 16) ^ v2
  low = v2l + v3l;
  v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) >>> 0;
  v2l = low >>> 0;
  t = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
  v3h = (((v3h << 16) | (v3l >>> 16)) ^ v2h) >>> 0;
  v3l = t >>> 0;
  // v0 += v3; v3 = rotl(v3, 21) ^ v0
  low = v0l + v3l;
  v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) >>> 0;
  v0l = low >>> 0;
  t = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
  v3h = (((v3h << 21) | (v3l >>> 11)) ^ v0h) >>> 0;
  v3l = t >>> 0;
  // v2 += v1; v1 = rotl(v1, 17) ^ v2; v2 = rotl(v2, 32)
  low = v2l + v1l;
  v2h = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) >>> 0;
  v2l = low >>> 0;
  t = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
  v1h = (((v1h << 17) | (v1l >>> 15)) ^ v2h) >>> 0;
  v1l = t >>> 0;
  t = v2l;
  v2l = v2h;
  v2h = t;
  s[0] = v0l;
  s[1] = v0h;
  s[2] = v1l;
  s[3] = v1h;
  s[4] = v2l;
  s[5] = v2h;
  s[6] = v3l;
  s[7] = v3h;
}

function mix(s: Uint32Array, low: number, high: number): void {
  s[6] ^= low;
  s[7] ^= high;
  round(s);
  round(s);
  s[0] ^= low;
  s[1] ^= high;
}

/** Hash of a name; the result is left in {@link hashHalves}. */
export function nameHash(name: Uint8Array): void {
  const s = state;
  s[0] = K0_LO ^ 0x70736575;
  s[1] = K0_HI ^ 0x736f6d65;
  s[2] = K1_LO ^ 0x6e646f6d;
  s[3] = K1_HI ^ 0x646f7261;
  s[4] = K0_LO ^ 0x6e657261;
  s[5] = K0_HI ^ 0x6c796765;
  s[6] = K1_LO ^ 0x79746573;
  s[7] = K1_HI ^ 0x74656462;
  const whole = name.length & ~7;
  let i = 0;
  for (; i < whole; i += 8) {
    mix(
      s,
      name[i] | (name[i + 1] << 8) | (name[i + 2] << 16) | (name[i + 3] << 24),
      name[i + 4] | (name[i + 5] << 8) | (name[i + 6] << 16) | (name[i + 7] << 24),
    );
  }
  let low = 0, high = (name.length & 0xff) << 24;
  for (let k = 0; i + k < name.length; k++) {
    if (k < 4) low |= name[i + k] << (8 * k);
    else high |= name[i + k] << (8 * (k - 4));
  }
  mix(s, low, high);
  s[4] ^= 0xff;
  round(s);
  round(s);
  round(s);
  round(s);
  hashHalves[0] = s[0] ^ s[2] ^ s[4] ^ s[6];
  hashHalves[1] = s[1] ^ s[3] ^ s[5] ^ s[7];
}
