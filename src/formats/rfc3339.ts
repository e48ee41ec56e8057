/** Times as RFC 3339 text with seconds precision, as key files hold them. */
import { FormatError } from "../base/errors.ts";

const PATTERN = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:Z|([+-])(\d\d):(\d\d))$/;

/** Epoch seconds of `2024-06-05T16:00:00+02:00` or `2024-06-05T14:00:00Z`. Throws {@link FormatError} for other text. */
export function parseRfc3339(text: string): number {
  const match = PATTERN.exec(text);
  const local = match ? Date.parse(`${text.slice(0, 19)}Z`) / 1000 : NaN;
  if (!match || Number.isNaN(local) || new Date(local * 1000).toISOString().slice(0, 19) !== text.slice(0, 19)) {
    throw new FormatError(`not a time: '${text.slice(0, 40)}' (expected YYYY-MM-DDTHH:MM:SS and Z or an offset)`);
  }
  const [, , , , , , , sign, hours = "0", minutes = "0"] = match;
  if (Number(hours) > 23 || Number(minutes) > 59) throw new FormatError(`not an offset from UTC: '${text.slice(19)}'`);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60;
  return sign === "-" ? local + offset : local - offset;
}

/** Text of epoch seconds at `utcOffset` minutes from UTC, always with a numeric offset (25 characters). */
export function formatRfc3339(epoch: number, utcOffset: number): string {
  const local = new Date((epoch + utcOffset * 60) * 1000).toISOString().slice(0, 19);
  const minutes = Math.abs(utcOffset);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${local}${utcOffset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
