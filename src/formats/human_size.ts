/** Sizes for people. */

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/** Bytes in binary units with up to three decimals: `1.187 GiB`, `2 GiB`, `0 B` (`spec/cli-output.md` §4). */
export function humanSize(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 1024 && unit < UNITS.length - 1) {
    scaled /= 1024;
    unit++;
  }
  return `${Number(scaled.toFixed(3))} ${UNITS[unit]}`;
}
