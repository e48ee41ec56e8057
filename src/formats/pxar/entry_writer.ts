/** Assembles the items of one entry (FILENAME, ENTRY, attributes, body header) in a reused buffer. */
import { viewOf, writeU64 } from "../../base/bytes.ts";
import { FormatError } from "../../base/errors.ts";
import { HEADER_SIZE, ItemType, NAME_MAX, writeHeader } from "./items.ts";
import type { Acl, AclDefault, AclEntry, Metadata } from "./metadata.ts";

const NOT_PRESENT = 0xffffffff;

/** Items written so far are `bytes.subarray(0, length)`; `reset` starts the next entry in the same memory. */
export class EntryWriter {
  #bytes = new Uint8Array(8192);
  #view = viewOf(this.#bytes);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** The finished items; valid until the next call. */
  done(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.length);
  }

  /** Starts an item and returns where its content begins. `size` is that of the content held in this buffer. */
  #item(type: ItemType, size: number): number {
    const at = this.#room(HEADER_SIZE + size);
    writeHeader(this.#view, at, type, HEADER_SIZE + size);
    return at + HEADER_SIZE;
  }

  #room(size: number): number {
    const at = this.length;
    this.length += size;
    if (this.length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(2 * this.#bytes.length, this.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = viewOf(larger);
    }
    return at;
  }

  /** FORMAT_VERSION 2. */
  formatVersion(): void {
    writeU64(this.#view, this.#item(ItemType.FormatVersion, 8), 2);
  }

  prelude(content: Uint8Array): void {
    const at = this.#item(ItemType.Prelude, content.length);
    this.#bytes.set(content, at);
  }

  /** FILENAME. Throws {@link FormatError} for a name that no reader would accept. */
  filename(name: Uint8Array): void {
    checkName(name, undefined);
    const at = this.#item(ItemType.Filename, name.length + 1);
    this.#bytes.set(name, at);
    this.#bytes[at + name.length] = 0;
  }

  /** ENTRY and the attribute items in the writers' order (§3). */
  metadata(metadata: Metadata): void {
    const at = this.#item(ItemType.Entry, 40);
    const view = this.#view;
    writeU64(view, at, metadata.mode);
    writeU64(view, at + 8, metadata.flags);
    view.setUint32(at + 16, metadata.uid, true);
    view.setUint32(at + 20, metadata.gid, true);
    const seconds = metadata.mtimeSec;
    view.setUint32(at + 24, seconds >>> 0, true);
    view.setInt32(at + 28, Math.floor(seconds / 0x1_0000_0000), true);
    view.setUint32(at + 32, metadata.mtimeNsec, true);
    view.setUint32(at + 36, 0, true);
    if (metadata.xattrs) {
      for (const { name, value } of metadata.xattrs) this.#xattr(name, value);
    }
    if (metadata.acl) this.#acl(metadata.acl);
    if (metadata.fcaps) {
      const content = this.#item(ItemType.Fcaps, metadata.fcaps.length);
      this.#bytes.set(metadata.fcaps, content);
    }
    if (metadata.projectId) {
      const content = this.#item(ItemType.QuotaProjectId, 8);
      writeU64(this.#view, content, metadata.projectId);
    }
  }

  #xattr(name: Uint8Array, value: Uint8Array): void {
    const at = this.#item(ItemType.Xattr, name.length + 1 + value.length);
    this.#bytes.set(name, at);
    this.#bytes[at + name.length] = 0;
    this.#bytes.set(value, at + name.length + 1);
  }

  #acl(acl: Acl): void {
    this.#aclEntries(ItemType.AclUser, acl.users);
    this.#aclEntries(ItemType.AclGroup, acl.groups);
    if (acl.groupObj !== undefined) {
      const at = this.#item(ItemType.AclGroupObj, 8);
      writeU64(this.#view, at, acl.groupObj);
    }
    if (acl.default) this.#aclDefault(acl.default);
    this.#aclEntries(ItemType.AclDefaultUser, acl.defaultUsers);
    this.#aclEntries(ItemType.AclDefaultGroup, acl.defaultGroups);
  }

  #aclEntries(type: ItemType, entries: readonly AclEntry[]): void {
    for (const { id, permissions } of entries) {
      const at = this.#item(type, 16);
      writeU64(this.#view, at, id);
      writeU64(this.#view, at + 8, permissions);
    }
  }

  #aclDefault(parts: AclDefault): void {
    let at = this.#item(ItemType.AclDefault, 32);
    for (const part of [parts.user, parts.group, parts.other, parts.mask]) {
      if (part === undefined) {
        this.#view.setUint32(at, NOT_PRESENT, true);
        this.#view.setUint32(at + 4, NOT_PRESENT, true);
      } else writeU64(this.#view, at, part);
      at += 8;
    }
  }

  symlink(target: Uint8Array): void {
    const at = this.#item(ItemType.Symlink, target.length + 1);
    this.#bytes.set(target, at);
    this.#bytes[at + target.length] = 0;
  }

  hardlink(distance: number, path: Uint8Array): void {
    const at = this.#item(ItemType.Hardlink, 8 + path.length + 1);
    writeU64(this.#view, at, distance);
    this.#bytes.set(path, at + 8);
    this.#bytes[at + 8 + path.length] = 0;
  }

  device(major: number, minor: number): void {
    const at = this.#item(ItemType.Device, 16);
    writeU64(this.#view, at, major);
    writeU64(this.#view, at + 8, minor);
  }

  /** Header of a PAYLOAD item; its `size` bytes of content follow elsewhere. */
  payloadHeader(size: number): void {
    const at = this.#room(HEADER_SIZE);
    writeHeader(this.#view, at, ItemType.Payload, HEADER_SIZE + size);
  }

  payloadRef(offset: number, size: number): void {
    const at = this.#item(ItemType.PayloadRef, 16);
    writeU64(this.#view, at, offset);
    writeU64(this.#view, at + 8, size);
  }
}

/** Checks a file name against the rules of §2; throws {@link FormatError} naming `offset`, where one is known. */
export function checkName(name: Uint8Array, offset: number | undefined): void {
  const length = name.length;
  let fault = "";
  if (length === 0) fault = "an empty name";
  else if (length > NAME_MAX) fault = `a name of ${length} bytes`;
  else if (name[0] === 0x2e && (length === 1 || (length === 2 && name[1] === 0x2e))) fault = "the name . or ..";
  else if (name.includes(0x2f)) fault = "a name with a slash";
  else if (name.includes(0)) fault = "a name with a NUL byte";
  if (fault) throw new FormatError(`pxar: entry with ${fault}`, { offset });
}
