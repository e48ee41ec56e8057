/** Reading and changing the manifest of a snapshot (`spec/datastore-layout.md` §6.3). */
import { DozoError, errorMessage } from "../base/errors.ts";
import { MANIFEST_NAME } from "../formats/archive_name.ts";
import { Manifest } from "../formats/manifest.ts";
import { pathOfSnapshot, type StoreContext } from "./context.ts";
import { MAX_MANIFEST_BYTES } from "./manifest_summary.ts";
import type { SnapshotRef } from "./types.ts";

/** The manifest of a snapshot. Throws 404 when it is missing, and when it is damaged. */
export async function loadManifest(store: StoreContext, snapshot: SnapshotRef): Promise<Manifest> {
  const path = `${pathOfSnapshot(snapshot)}/${MANIFEST_NAME}`;
  const blob = await store.backend.readEntry(path, MAX_MANIFEST_BYTES);
  if (!blob) {
    const name = store.backend.describe(path);
    throw new DozoError(`unable to load blob '"${name}"' - No such file or directory (os error 2)`, { status: 404 });
  }
  try {
    return await Manifest.decode(blob);
  } catch (error) {
    throw new DozoError(`unable to read manifest "${store.backend.describe(path)}" - ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

/** Changes the manifest under its lock: read, modify, replace. */
export async function updateManifest(
  store: StoreContext,
  snapshot: SnapshotRef,
  change: (manifest: Manifest) => void,
): Promise<void> {
  using _lock = await store.locks.manifest(snapshot);
  const manifest = await loadManifest(store, snapshot);
  change(manifest);
  await storeManifest(store, snapshot, manifest, store.syncLevel !== "none");
}

/** Stores a manifest: its presence makes the snapshot a finished one. The caller holds a lock that excludes others. */
export async function storeManifest(
  store: StoreContext,
  snapshot: SnapshotRef,
  manifest: Manifest,
  durable: boolean,
): Promise<void> {
  const path = `${pathOfSnapshot(snapshot)}/${MANIFEST_NAME}`;
  await store.backend.writeEntry(path, [await manifest.encode()], { durable });
}
