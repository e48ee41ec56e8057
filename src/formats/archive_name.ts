/** Names of archives as people write them (`root.pxar`) and as a snapshot stores them (`root.pxar.didx`). */
import { DozoError, FormatError } from "../base/errors.ts";
import { isSafeId } from "./names.ts";

/** How a stored file is built: an index over chunks of equal size, one over chunks of any size, or a single blob. */
export type ArchiveKind = "fixed" | "dynamic" | "blob";

/** The manifest; its presence marks a snapshot as finished. */
export const MANIFEST_NAME = "index.json.blob";
/** Log of the client, uploaded after the session and not listed in the manifest. */
export const CLIENT_LOG_NAME = "client.log.blob";
/** File catalog of all legacy pxar archives of the snapshot. */
export const CATALOG_NAME = "catalog.pcat1.didx";
/** Encryption key wrapped with the RSA master key. */
export const ENCRYPTED_KEY_NAME = "rsa-encrypted.key.blob";

const KIND_BY_EXTENSION: Readonly<Record<string, ArchiveKind>> = { fidx: "fixed", didx: "dynamic", blob: "blob" };
const STORED_EXTENSION: Readonly<Record<string, string>> = {
  pxar: "didx",
  mpxar: "didx",
  ppxar: "didx",
  pcat1: "didx",
  img: "fidx",
  conf: "blob",
  json: "blob",
  key: "blob",
  log: "blob",
};
const MAX_NAME_LENGTH = 255;

function extensionOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** True for a safe file name with a server extension (`.fidx`, `.didx`, `.blob`), `spec/datastore-layout.md` §2.2. */
export function isStoredName(name: string): boolean {
  return name.length <= MAX_NAME_LENGTH && isSafeId(name) && /[^.]\.(fidx|didx|blob)$/.test(name);
}

/** Kind of a stored file by its server extension. Throws {@link FormatError} where {@link isStoredName} is false. */
export function archiveKind(storedName: string): ArchiveKind {
  if (!isStoredName(storedName)) {
    throw new FormatError(`'${printable(storedName)}' is no archive name: it must end in .fidx, .didx or .blob`);
  }
  return KIND_BY_EXTENSION[extensionOf(storedName)];
}

/**
 * Stored name of an archive (`spec/datastore-layout.md` §2.3): `root.pxar` → `root.pxar.didx`; a stored name stays as
 * it is. Throws {@link DozoError} for an unsafe name or one whose extension says no kind.
 */
export function storedName(name: string): string {
  if (isStoredName(name)) return name;
  const stored = `${name}.${STORED_EXTENSION[extensionOf(name)]}`;
  if (!Object.hasOwn(STORED_EXTENSION, extensionOf(name)) || !isStoredName(stored)) {
    throw new DozoError(
      `'${printable(name)}' is no archive name: use letters, digits and ._- with one of the extensions ` +
        `${Object.keys(STORED_EXTENSION).map((extension) => `.${extension}`).join(" ")}`,
    );
  }
  return stored;
}

/** Name of a stored file as clients show it, without the server extension: `root.pxar.didx` → `root.pxar`. */
export function archiveName(storedName: string): string {
  return storedName.replace(/\.(fidx|didx|blob)$/, "");
}

/**
 * Stored names of the two halves of a split archive, from `root.pxar`, `root.mpxar` or `root.ppxar` (with or without
 * `.didx`); null when the name is not one of a file archive.
 */
export function splitArchiveNames(name: string): { metadata: string; payload: string } | null {
  const match = /^(.+)\.(?:pxar|mpxar|ppxar)(?:\.didx)?$/.exec(name);
  return match && { metadata: `${match[1]}.mpxar.didx`, payload: `${match[1]}.ppxar.didx` };
}

function printable(name: string): string {
  return JSON.stringify(name.slice(0, 80)).slice(1, -1);
}
