/** A configuration file: cached reading, SHA-256 digest, changes under a lock (`spec/config-files.md` §1). */
import { createHash } from "node:crypto";
import { DozoError, errorMessage } from "../base/errors.ts";
import { type FileOwner, replaceFile } from "./atomic_file.ts";
import { withFileLock } from "./file_lock.ts";

/** Longest configuration file that is read, bytes. */
const MAX_SIZE = 16 << 20;

/** How a file is found and understood. */
export interface FileFormat<T> {
  readonly path: string;
  readonly lockPath: string;
  /** Permission bits. */
  readonly mode: number;
  readonly owner?: FileOwner;
  /** Content of an absent file is the empty string. Throws {@link DozoError} naming file and line. */
  parse(text: string): T;
  format(value: T): string;
}

/** A parsed state of a file. `digest` is the hex SHA-256 of its bytes. */
export interface FileState<T> {
  readonly value: T;
  readonly digest: string;
}

/** One configuration file; values handed out by {@link read} are shared and must not be changed. */
export class ConfigFile<T> {
  readonly #format: FileFormat<T>;
  #cached?: FileState<T>;
  #stamp = "";

  constructor(format: FileFormat<T>) {
    this.#format = format;
  }

  get path(): string {
    return this.#format.path;
  }

  /** The file's present content; it is parsed again only after a change. Throws {@link DozoError}. */
  read(): FileState<T> {
    const stamp = this.#stampNow();
    if (this.#cached && stamp === this.#stamp) return this.#cached;
    const state = this.#load();
    this.#stamp = stamp;
    return this.#cached = state;
  }

  /**
   * Changes the file under its lock: `change` gets a fresh value and returns what is to be written, or undefined to
   * leave it. With `digest`, throws the known 400 when the file is no longer what the caller saw.
   */
  async update(change: (value: T) => T | undefined | void, digest?: string): Promise<void> {
    await withFileLock(this.#format.lockPath, async () => {
      const current = this.#load();
      if (digest !== undefined) requireDigest(current.digest, digest);
      const changed = change(current.value);
      if (changed === undefined) return;
      await replaceFile(this.#format.path, this.#format.format(changed), this.#format.mode, this.#format.owner);
    });
  }

  #load(): FileState<T> {
    const bytes = this.#bytes();
    const digest = createHash("sha256").update(bytes).digest("hex");
    let text: string;
    try {
      text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new DozoError(`unable to parse '${this.path}': it is not UTF-8 text`);
    }
    return { value: this.#format.parse(text), digest };
  }

  #bytes(): Uint8Array<ArrayBuffer> {
    try {
      using file = Deno.openSync(this.path);
      const { size } = file.statSync();
      if (size > MAX_SIZE) throw new DozoError(`it is larger than ${MAX_SIZE} bytes`);
      const bytes = new Uint8Array(size);
      let at = 0;
      while (at < size) {
        const count = file.readSync(bytes.subarray(at));
        if (count === null) break;
        at += count;
      }
      return bytes.subarray(0, at);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw new DozoError(`unable to read '${this.path}': ${errorMessage(error)}`, { cause: error });
    }
  }

  #stampNow(): string {
    try {
      const { ino, mtime, size, ctime } = Deno.statSync(this.path);
      return `${ino}:${mtime?.getTime()}:${ctime?.getTime()}:${size}`;
    } catch {
      return "absent";
    }
  }
}

/** Throws the 400 that clients know when `expected` is not the digest of what is there. */
export function requireDigest(actual: string, expected: string): void {
  if (actual !== expected) {
    throw new DozoError("detected modified configuration - file changed by other user? Try again.");
  }
}
