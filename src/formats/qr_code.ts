/** QR codes as block characters and as SVG. */
import { encode } from "uqr";
import { DozoError } from "../base/errors.ts";

/** Rows of modules, true for dark. */
export type QrModules = readonly (readonly boolean[])[];

/** Modules of the QR code of `text` with error correction level M, no margin. Throws {@link DozoError} above 2331 bytes. */
export function qrModules(text: string): QrModules {
  try {
    return encode(text, { ecc: "M", border: 0, boostEcc: false }).data;
  } catch (cause) {
    throw new DozoError("the text is too long for a QR code: it holds at most 2331 bytes", { cause });
  }
}

/** Block characters, two rows of modules per line of text; a dark module is drawn, as terminals are dark. */
export function qrText(modules: QrModules): string {
  let text = "";
  for (let y = 0; y < modules.length; y += 2) {
    for (let x = 0; x < modules.length; x++) {
      const upper = modules[y][x];
      const lower = modules[y + 1]?.[x] ?? false;
      text += upper ? (lower ? "█" : "▀") : (lower ? "▄" : " ");
    }
    text += "\n";
  }
  return text;
}

/** SVG image, one unit per module. */
export function qrSvg(modules: QrModules): string {
  const size = modules.length;
  let path = "";
  modules.forEach((row, y) => {
    for (let x = 0; x < size; x++) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x++;
      path += `M${start} ${y}h${x + 1 - start}v1h${start - x - 1}z`;
    }
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">` +
    `<rect width="${size}" height="${size}" fill="#fff"/><path d="${path}"/></svg>`;
}
