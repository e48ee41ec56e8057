/** Values as text (`spec/cli-output.md` §4): sizes, times, file lists, usage. */
import { localTimeText } from "../../client/local_time.ts";
import { humanSize } from "../../formats/human_size.ts";

/** Bytes in binary units with up to three decimals: `1.187 GiB`, `0 B`. */
export function renderSize(value: unknown): string {
  return typeof value === "number" ? humanSize(value) : "";
}

/** Unix seconds as local time in the C locale's long form: `Sat Nov 21 13:01:26 2026`. */
export function renderTime(value: unknown): string {
  return typeof value === "number" ? localTimeText(value) : "";
}

/** Unix seconds in UTC: `2026-11-21T13:01:16Z`; seconds that no calendar reaches as they are. */
export function renderUtc(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? String(seconds) : `${date.toISOString().replace(/\.\d+Z$/, "")}Z`;
}

/** Seconds as `7s`, `1m 5s`, `2h 0m 3s`. */
export function renderDuration(seconds: number): string {
  const whole = Math.floor(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const first = parts.findIndex((part) => part > 0);
  return ["h", "m", "s"].map((unit, i) => `${parts[i]}${unit}`).slice(first < 0 ? 2 : first).join(" ");
}

/** Stored file names without their index suffix, sorted, one space between. */
export function renderFiles(value: unknown): string {
  if (!Array.isArray(value)) return "";
  const names = value.map((file) => typeof file === "string" ? file : String((file as { filename: string }).filename));
  return names.map((name) => name.replace(/\.(didx|fidx|blob)$/, "")).sort().join(" ");
}

/** Usage in bytes, padded to the width of `total`, two spaces, percentage of `total` in brackets. */
export function renderUsage(bytes: number, total: number): string {
  const percent = total > 0 ? Math.round(bytes * 100 / total) : 0;
  return `${String(bytes).padEnd(String(total).length)}  (${percent} %)`;
}

/** Minutes that local time is ahead of UTC at `epoch` (Unix seconds). */
export function localOffset(epoch: number): number {
  return -new Date(epoch * 1000).getTimezoneOffset();
}
