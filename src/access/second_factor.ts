/** Whether a user has a second factor (`spec/auth.md` §9.5). */
import { join } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";

/**
 * True when `tfa.json` in `directory` holds an enabled entry of `userid`. Throws {@link DozoError} on an unreadable file, so
 * that damage never turns a second factor off.
 */
export async function hasSecondFactor(directory: string, userid: string): Promise<boolean> {
  const path = join(directory, "tfa.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new DozoError(`unable to read '${path}': ${errorMessage(error)}`, { cause: error });
  }
  let users: Record<string, unknown>;
  try {
    users = JSON.parse(text)?.users ?? {};
  } catch {
    throw new DozoError(`unable to parse '${path}': it is not JSON`);
  }
  const data = Object.hasOwn(users, userid) ? users[userid] : undefined;
  if (typeof data !== "object" || data === null) return false;
  return Object.entries(data).some(([kind, entries]) => {
    if (kind === "recovery") {
      return Array.isArray(entries?.entries) && entries.entries.some((key: unknown) => key !== null);
    }
    return Array.isArray(entries) && entries.some((entry) => entry?.enable !== false);
  });
}
