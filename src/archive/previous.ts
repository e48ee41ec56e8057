/** Walks the previous metadata archive beside the tree that is being archived (`spec/pxar.md` §9.2). */
import { bytesEqual, compareBytes } from "../base/bytes.ts";
import { errorMessage } from "../base/errors.ts";
import { type Acl, type AclEntry, type Metadata, PxarDecoder, type PxarEntry } from "../formats/pxar/mod.ts";
import type { SequentialSource } from "../formats/pxar/mod.ts";

/** More bytes of the previous archive are needed. */
const WAIT = Symbol("wait");

/**
 * Finds the entries of the previous archive in one pass: both walks go through names in byte order, so that each step
 * only moves forward. An archive in another order merely yields fewer matches, a damaged one none from there on.
 */
export class PreviousTree {
  readonly #decoder: PxarDecoder;
  readonly #log: (line: string) => void;
  /** Next entry of the current directory, when already read. */
  #next?: PxarEntry;
  #directoryEnded = false;
  /** Depth in the previous archive; −1 before its root and after a fault. */
  #depth = -1;
  /** Directories entered that the previous archive does not have. */
  #missing = 0;
  /** Events are passed over until the decoder is back at this depth. */
  #skipTo = -1;
  #broken = false;

  constructor(metadata: SequentialSource, log: (line: string) => void) {
    this.#decoder = new PxarDecoder(metadata, { metadataOnly: true });
    this.#log = log;
  }

  /** Reads up to the root's first child. */
  async open(): Promise<void> {
    try {
      for (;;) {
        const event = await this.#decoder.next();
        if (event.type === "entry") break;
      }
      this.#depth = 1;
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    if (!this.#broken) this.#log(`previous archive is not usable, reading all files: ${errorMessage(error)}`);
    this.#broken = true;
  }

  /** The entry called `name` in the current directory. Names must be asked for in ascending byte order. */
  find(name: Uint8Array): PxarEntry | undefined | Promise<PxarEntry | undefined> {
    if (this.#broken || this.#missing > 0) return undefined;
    try {
      const found = this.#tryFind(name);
      return found === WAIT ? this.#findLater(name) : found;
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  async #findLater(name: Uint8Array): Promise<PxarEntry | undefined> {
    try {
      for (;;) {
        await this.#decoder.more();
        const found = this.#tryFind(name);
        if (found !== WAIT) return found;
      }
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #tryFind(name: Uint8Array): PxarEntry | undefined | typeof WAIT {
    for (;;) {
      if (!this.#skip()) return WAIT;
      if (this.#directoryEnded) return undefined;
      if (!this.#next) {
        const event = this.#decoder.tryNext();
        if (!event) return WAIT;
        if (event.type !== "entry") {
          this.#directoryEnded = true;
          return undefined;
        }
        this.#next = event.entry;
      }
      const order = compareBytes(this.#next.name, name);
      if (order > 0) return undefined;
      const entry = this.#next;
      this.#next = undefined;
      // Unless entered next, a directory is passed over.
      if (entry.kind === "directory") this.#skipTo = this.#depth;
      if (order === 0) return entry;
    }
  }

  /** Passes over events down to the wanted depth; false when more bytes are needed. */
  #skip(): boolean {
    while (this.#skipTo >= 0 && this.#decoder.depth > this.#skipTo) {
      if (!this.#decoder.tryNext()) return false;
    }
    this.#skipTo = -1;
    return true;
  }

  /** Follows the walk into the directory that {@link find} was last asked for; `entry` is what it found. */
  enter(entry: PxarEntry | undefined): void {
    if (this.#broken || this.#missing > 0 || entry?.kind !== "directory") {
      this.#missing++;
      return;
    }
    this.#skipTo = -1;
    this.#depth++;
    this.#directoryEnded = false;
  }

  /** Follows the walk out of a directory. */
  leave(): void {
    if (this.#missing > 0) {
      this.#missing--;
      return;
    }
    this.#depth--;
    this.#next = undefined;
    this.#directoryEnded = false;
    this.#skipTo = this.#depth;
  }
}

/** True when nothing that change detection looks at differs (§9.2 point 3); xattr values count. */
export function sameMetadata(a: Metadata, b: Metadata): boolean {
  return a.mode === b.mode && a.flags === b.flags && a.uid === b.uid && a.gid === b.gid &&
    a.mtimeSec === b.mtimeSec && a.mtimeNsec === b.mtimeNsec && a.projectId === b.projectId &&
    sameBytes(a.fcaps, b.fcaps) && sameXattrs(a, b) && sameAcl(a.acl, b.acl);
}

function sameBytes(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && bytesEqual(a, b));
}

function sameXattrs(a: Metadata, b: Metadata): boolean {
  const left = a.xattrs ?? [], right = b.xattrs ?? [];
  return left.length === right.length &&
    left.every((xattr, i) => bytesEqual(xattr.name, right[i].name) && bytesEqual(xattr.value, right[i].value));
}

function sameAcl(a: Acl | undefined, b: Acl | undefined): boolean {
  if (!a || !b) return a === b;
  const entries = (x: readonly AclEntry[], y: readonly AclEntry[]) =>
    x.length === y.length && x.every((e, i) => e.id === y[i].id && e.permissions === y[i].permissions);
  return a.groupObj === b.groupObj && entries(a.users, b.users) && entries(a.groups, b.groups) &&
    entries(a.defaultUsers, b.defaultUsers) && entries(a.defaultGroups, b.defaultGroups) &&
    (a.default === b.default || (a.default !== undefined && b.default !== undefined &&
      a.default.user === b.default.user && a.default.group === b.default.group &&
      a.default.other === b.default.other && a.default.mask === b.default.mask));
}
