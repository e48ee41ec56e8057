/** Temporary names: the last extension replaced by `tmp_XXXXXX` (`spec/datastore-layout.md` §7.1). */

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** A temporary name beside `path`, different at each call: `a/index.json.blob` → `a/index.json.tmp_x7Ab2Q`. */
export function tempName(path: string): string {
  const slash = path.lastIndexOf("/");
  const dot = path.lastIndexOf(".");
  // A dot in front is part of the name (`.protected`), not an extension.
  const stem = dot > slash + 1 ? path.slice(0, dot) : path;
  const random = crypto.getRandomValues(new Uint8Array(6));
  return `${stem}.tmp_${Array.from(random, (byte) => LETTERS[byte % LETTERS.length]).join("")}`;
}

/** True for a name that {@link tempName} may have made. */
export function isTempName(name: string): boolean {
  return /\.tmp_[A-Za-z0-9]{6}$/.test(name);
}
