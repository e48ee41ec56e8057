/** Backup times: Unix seconds in the API, `YYYY-MM-DDTHH:MM:SSZ` in paths and for people (`spec/datastore-layout.md` §2.2). */
import { FormatError } from "../base/errors.ts";

/** First and last second that a snapshot may carry. */
export const MIN_BACKUP_TIME = 1;
export const MAX_BACKUP_TIME = 253402300799;

/** True for an integer number of seconds within the limits. */
export function isBackupTime(seconds: number): boolean {
  return Number.isInteger(seconds) && seconds >= MIN_BACKUP_TIME && seconds <= MAX_BACKUP_TIME;
}

/** UTC text of exactly 20 characters. Throws {@link FormatError} outside of the limits. */
export function formatBackupTime(seconds: number): string {
  if (!isBackupTime(seconds)) throw new FormatError(`backup time ${seconds} is not between 1 and ${MAX_BACKUP_TIME}`);
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Unix seconds of the 20-character text. Throws {@link FormatError} for any other form and for dates that do not exist. */
export function parseBackupTime(text: string): number {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) {
    const seconds = Date.parse(text) / 1000;
    // Date rolls some impossible days over instead of refusing them: only a text that prints the same is one.
    if (isBackupTime(seconds) && formatBackupTime(seconds) === text) return seconds;
  }
  throw new FormatError(`not a backup time: '${text.slice(0, 40)}' (expected for example 2024-03-01T10:00:00Z)`);
}

/** True for the text form of a time. */
export function isBackupTimeText(text: string): boolean {
  try {
    parseBackupTime(text);
    return true;
  } catch {
    return false;
  }
}
