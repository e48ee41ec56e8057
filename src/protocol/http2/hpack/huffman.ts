/** Huffman code of HPACK: RFC 7541 §5.2 and Appendix B. */
import { ErrorCode, Http2Error } from "../errors.ts";

/**
 * Length in bits of the code of each octet and, last, of EOS (RFC 7541 Appendix B). The code is canonical: codes of one
 * length are consecutive in symbol order, so that the lengths alone fix it.
 */
// deno-fmt-ignore
const LENGTHS = [
  13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28,
  6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10,
  13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6,
  15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28,
  20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24,
  22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
  26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27,
  20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26,
  30,
];
const EOS = 256;

const CODES = new Uint32Array(LENGTHS.length);
/** Binary tree: entry `2·node + bit` is the next node when positive, `−1 − symbol` when negative. */
const TREE = new Int16Array(2 * LENGTHS.length);

buildCode();

function buildCode(): void {
  const order = LENGTHS.map((_, symbol) => symbol).sort((a, b) => LENGTHS[a] - LENGTHS[b] || a - b);
  let code = 0;
  let length = 0;
  let nodes = 1;
  for (const symbol of order) {
    code *= 2 ** (LENGTHS[symbol] - length);
    length = LENGTHS[symbol];
    CODES[symbol] = code;
    let node = 0;
    for (let bit = length - 1; bit > 0; bit--) {
      const at = 2 * node + ((code >>> bit) & 1);
      if (TREE[at] === 0) TREE[at] = nodes++;
      node = TREE[at];
    }
    TREE[2 * node + (code & 1)] = -1 - symbol;
    code++;
  }
}

/** Bytes that the encoded form of `text` (one octet per char) takes. */
export function huffmanLength(text: string): number {
  let bits = 0;
  for (let i = 0; i < text.length; i++) bits += LENGTHS[text.charCodeAt(i) & 0xff];
  return (bits + 7) >>> 3;
}

/** Writes the encoded form of `text` (one octet per char) to `out` from `at`; returns the position behind it. */
export function huffmanEncode(text: string, out: Uint8Array, at: number): number {
  // At most 7 bits wait, and a code has at most 30: 37 bits do not fit an int32, so the accumulator is a double.
  let waiting = 0;
  let bits = 0;
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff;
    waiting = waiting * 2 ** LENGTHS[symbol] + CODES[symbol];
    bits += LENGTHS[symbol];
    while (bits >= 8) {
      bits -= 8;
      const scale = 2 ** bits;
      const octet = Math.floor(waiting / scale);
      out[at++] = octet;
      waiting -= octet * scale;
    }
  }
  if (bits > 0) out[at++] = waiting * 2 ** (8 - bits) + (0xff >>> bits);
  return at;
}

/** Text (one octet per char) of a Huffman-encoded string. Throws on EOS inside and on wrong padding. */
export function huffmanDecode(data: Uint8Array): string {
  let text = "";
  let node = 0;
  let pending = 0;
  let allOnes = true;
  for (let i = 0; i < data.length; i++) {
    for (let bit = 7; bit >= 0; bit--) {
      const value = (data[i] >>> bit) & 1;
      const next = TREE[2 * node + value];
      if (next < 0) {
        if (next === -1 - EOS) throw new Http2Error(ErrorCode.COMPRESSION_ERROR, "EOS inside a Huffman string");
        text += String.fromCharCode(-1 - next);
        node = 0;
        pending = 0;
        allOnes = true;
      } else {
        node = next;
        pending++;
        if (value === 0) allOnes = false;
      }
    }
  }
  if (pending > 7 || !allOnes) throw new Http2Error(ErrorCode.COMPRESSION_ERROR, "wrong padding of a Huffman string");
  return text;
}
