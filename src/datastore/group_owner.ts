/** The owner of a group (`spec/datastore-layout.md` §4.1). */
import { DozoError } from "../base/errors.ts";
import { OWNER_NAME, pathOfGroup, type StoreContext } from "./context.ts";
import type { GroupRef } from "./types.ts";

const MAX_OWNER_BYTES = 4096;

/** True when `caller` counts as owner: it is the owner, or the owner is one of its tokens. */
export function isOwner(owner: string, caller: string): boolean {
  return owner === caller || owner.startsWith(`${caller}!`) && !caller.includes("!");
}

/** Owner of a group: first line of its file. Throws when the file is missing or empty. */
export async function readOwner(store: StoreContext, group: GroupRef): Promise<string> {
  const path = `${pathOfGroup(group)}/${OWNER_NAME}`;
  const bytes = await store.backend.readEntry(path, MAX_OWNER_BYTES);
  const owner = bytes && new TextDecoder().decode(bytes).split("\n", 1)[0].trimEnd();
  if (!owner) throw new DozoError(`unable to read the owner of the group from "${store.backend.describe(path)}"`);
  return owner;
}

/** As {@link readOwner}, but undefined where that throws. */
export async function ownerIfAny(store: StoreContext, group: GroupRef): Promise<string | undefined> {
  try {
    return await readOwner(store, group);
  } catch {
    return undefined;
  }
}

/** Content of the owner file. */
export function ownerFile(owner: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${owner}\n`);
}
