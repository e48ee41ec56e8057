/** Puts archive entries on disk one after the other: what sequential and random-access extraction share. */
import { DozoError, errorMessage } from "../base/errors.ts";
import { lastMatch, type Pattern } from "../formats/pattern.ts";
import type { PxarEntry } from "../formats/pxar/mod.ts";
import { close } from "../native/fs.ts";
import { EntryCreator } from "./extract_entry.ts";
import type { ExtractOptions, ExtractStats } from "./extract_types.ts";
import { DEFAULT_FEATURES, type Features, INITIAL_FLAGS } from "./features.ts";
import { type Failures, FileCrew, SMALL_MAX } from "./file_crew.ts";
import { isPlain, joined, stepError } from "./queued_file.ts";
import { quotePath } from "./path.ts";
import { MetadataRestorer } from "./restore_metadata.ts";
import { hasZeroBlock, SparseWriter } from "./sparse_writer.ts";
import { type Hold, TargetTree } from "./target_tree.ts";

const ROOT_PATH = new Uint8Array([0x2f]);

/** Small files that are created without further ado: few do not need a thread. */
const CREW_AFTER = 200;

/** A file whose content is being written. */
interface OpenFile {
  readonly fd: number;
  readonly entry: PxarEntry;
  readonly writer: SparseWriter;
}

/** Follows the directories of an archive and creates what is in them. Faults of single entries go to the log, or with `strict` are thrown. */
export class Extractor {
  readonly stats: ExtractStats = { directories: 0, files: 0, bytes: 0, errors: 0 };
  readonly #options: ExtractOptions;
  readonly #patterns: readonly Pattern[];
  readonly #tree: TargetTree;
  readonly #metadata: MetadataRestorer;
  readonly #creator: EntryCreator;
  readonly #features: Features;
  /** Replacing what exists is done here, step by step. */
  readonly #mayQueue: boolean;
  #file?: OpenFile;
  #crew?: FileCrew;
  /** Small files so far. */
  #small = 0;

  constructor(options: ExtractOptions) {
    const features = options.features ?? DEFAULT_FEATURES;
    const log = (line: string) => options.log?.(line);
    this.#options = options;
    this.#features = features;
    this.#mayQueue = !(options.overwriteFiles || options.overwriteSymlinks || options.overwriteHardlinks);
    this.#patterns = options.patterns ?? [];
    this.#tree = new TargetTree(options.allowExistingDirs ?? false, () => this.stats.directories++);
    this.#metadata = new MetadataRestorer(features, log);
    this.#creator = new EntryCreator(this.#tree, this.#metadata, options, features);
  }

  /** Number of directories that are open, the root included. */
  get depth(): number {
    return this.#tree.depth;
  }

  /** True when entries of the current directory are extracted unless a pattern says otherwise. */
  get selectedByDefault(): boolean {
    return this.#tree.selected;
  }

  /** True when the patterns select the child `name` of the current directory. */
  selects(name: Uint8Array, isDirectory: boolean): boolean {
    if (this.#patterns.length === 0) return true;
    const match = lastMatch(this.#patterns, this.#tree.path.child(name), isDirectory);
    return match === undefined ? this.#tree.selected : match === "include";
  }

  /** Path in the archive of the child `name` of the current directory, valid until the next call. */
  pathOf(name: Uint8Array): Uint8Array {
    return this.#tree.path.child(name);
  }

  /** True when what the hardlink `entry` refers to was extracted (or was there before). */
  linkTargetExists(entry: PxarEntry): boolean {
    return this.#creator.linkTargetExists(entry.target ?? new Uint8Array(0));
  }

  /** Opens the target directory for the root entry. */
  openRoot(entry: PxarEntry): void {
    this.#tree.openRoot(this.#options.target, entry.metadata, this.#patterns.length === 0);
  }

  /** Goes into a directory; on disk at once when it is selected, else when something in it is extracted. */
  enter(entry: PxarEntry, selected = this.selects(entry.name, true)): void {
    this.#guard(entry.name, () => this.#tree.enter(entry.name, entry.metadata, selected, selected));
  }

  /** Leaves the current directory and applies its metadata, at once or when the last queued file in it is there. */
  leave(): void {
    const path = this.#tree.path.current();
    this.#tree.leave((fd, metadata) => {
      try {
        this.#metadata.applyTo(fd, metadata, (problem) => this.#warn(path, problem));
      } catch (error) {
        this.#report(path, error);
      }
    });
  }

  /** True when the file is to go through {@link room} and {@link enqueue}: small, and without rare attributes. */
  queues({ size, metadata }: PxarEntry): boolean {
    if (!this.#mayQueue || size > SMALL_MAX || !isPlain(metadata, this.#features)) return false;
    return ++this.#small > CREW_AFTER;
  }

  /** True while queued files may not be there yet. */
  get busy(): boolean {
    return this.#crew?.busy ?? false;
  }

  /** Room for the content of a queued file, or a promise to wait for before asking again. */
  room(entry: PxarEntry): Uint8Array<ArrayBuffer> | Promise<void> {
    const { ownership: owner, permissions } = this.#features;
    this.#crew ??= new FileCrew({ owner, permissions });
    return this.#crew.room(entry);
  }

  /** Has the file created whose content is in the `room` asked for last. */
  enqueue(entry: PxarEntry, room: Uint8Array): void {
    if (hasZeroBlock(room)) {
      if (this.startFile(entry) && this.writeData(room)) this.#complete();
      return;
    }
    this.#guard(entry.name, () => {
      const hold = this.#tree.hold();
      this.#crew?.add(entry, { fd: hold.fd, done: (_, failures) => this.#queued(entry, hold, failures) });
    });
  }

  #queued(entry: PxarEntry, hold: Hold, failures: Failures): void {
    try {
      const serious = failures.filter(([step, errno]) => !this.#metadata.passesOver(step, errno));
      if (serious.length === 0) {
        this.stats.files++;
        this.stats.bytes += entry.size;
        return;
      }
      const [step, errno] = serious[0];
      this.#report(joined(hold.path, entry.name), stepError(step, errno, entry.name));
    } finally {
      hold.release();
    }
  }

  /** Waits until every queued file is there. */
  async drain(): Promise<void> {
    await this.#crew?.drain();
  }

  /** Reports `error` for an entry of the current directory. */
  fail(entry: PxarEntry, error: unknown): void {
    this.#report(this.#tree.path.child(entry.name), error);
  }

  /** Creates anything but directories and regular files. */
  create(entry: PxarEntry): void {
    this.#guard(entry.name, () => {
      if (entry.kind === "symlink") this.#creator.symlink(entry);
      else if (entry.kind === "hardlink") this.#creator.hardlink(entry);
      else this.#creator.special(entry, (problem) => this.#warn(this.#tree.path.child(entry.name), problem));
    });
  }

  /** Starts a regular file; false when that failed and its content is to be passed over. */
  startFile(entry: PxarEntry): boolean {
    return this.#guard(entry.name, () => {
      const fd = this.#creator.createFile(entry.name);
      this.#file = { fd, entry, writer: new SparseWriter(fd) };
      if ((entry.metadata.flags & INITIAL_FLAGS) !== 0) this.#metadata.applyInitialFlags(fd, entry.metadata);
    });
  }

  /**
   * Appends to the file being written; `piece` must not change any more. False when that failed and the rest is to be
   * passed over.
   */
  writeData(piece: Uint8Array): boolean {
    const { entry, writer } = this.#file as OpenFile;
    const done = this.#guard(entry.name, () => writer.write(piece));
    if (done) this.stats.bytes += piece.length;
    else this.#dropFile();
    return done;
  }

  /** A promise to wait for before more content, when writing falls behind. */
  pressure(): Promise<void> | undefined {
    return this.#file?.writer.pressure();
  }

  /** Completes the file being written. */
  finishFile(): void | Promise<void> {
    const { writer } = this.#file as OpenFile;
    const idle = writer.idle();
    return idle ? idle.then(() => this.#complete()) : this.#complete();
  }

  #complete(): void {
    const { fd, entry, writer } = this.#file as OpenFile;
    this.#file = undefined;
    const done = this.#guard(entry.name, () => {
      try {
        writer.finish();
      } catch (error) {
        close(fd);
        throw error;
      }
      this.#creator.finishFile(
        fd,
        entry.metadata,
        (problem) => this.#warn(this.#tree.path.child(entry.name), problem),
      );
    });
    if (done) this.stats.files++;
  }

  /** Reports `error` for the file being written (if any) and gives it up. */
  failFile(error: unknown): void {
    const { entry } = this.#file as OpenFile;
    this.#dropFile();
    this.#guard(entry.name, () => {
      throw error;
    });
  }

  #dropFile(): void {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    // Another thread may still write to this descriptor, whose number must not go to another file before.
    const idle = file.writer.idle();
    if (idle) idle.then(() => close(file.fd));
    else close(file.fd);
  }

  /** Completes everything and says what could not be restored for lack of rights; call once at the end. */
  async finish(): Promise<void> {
    await this.drain();
    this.#metadata.reportDenied();
  }

  /** Closes whatever is still open, once no thread uses it any more. */
  async close(): Promise<void> {
    this.#dropFile();
    await this.#crew?.close();
    this.#tree.close();
  }

  #warn(path: Uint8Array, problem: string): void {
    this.#options.log?.(`warning: ${quotePath(path.length > 0 ? path : ROOT_PATH)}: ${problem}`);
  }

  #guard(name: Uint8Array, action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      this.#report(this.#tree.path.child(name), error);
      return false;
    }
  }

  #report(path: Uint8Array, error: unknown): void {
    const line = `error at ${quotePath(path)}: ${errorMessage(error)}`;
    if (this.#options.strict) throw new DozoError(line, { cause: error });
    this.stats.errors++;
    this.#options.log?.(line);
  }
}
