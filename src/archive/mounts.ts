/** Which file systems below the source are entered, and which attributes theirs have (`spec/pxar.md` §10). */
import { DozoError, errorMessage } from "../base/errors.ts";
import { close, fstat, open, OpenFlag, statfs } from "../native/fs.ts";
import { type Features, isVirtual, type SourceFeatures, sourceFeatures } from "./features.ts";

type Device = number;

/** Answers are kept for each device, so that a file system is asked once. */
export class MountRules {
  readonly #allowed: Set<Device> | undefined;
  readonly #wanted: Features;
  readonly #known = new Map<Device, { virtual: boolean; features: SourceFeatures }>();

  /** Looks up the devices of `includeDev` (paths). Throws {@link DozoError} for one that is not there. */
  constructor(includeDev: readonly string[], allFileSystems: boolean, wanted: Features) {
    this.#wanted = wanted;
    if (allFileSystems) {
      if (includeDev.length > 0) throw new DozoError("all file systems and chosen ones cannot both be asked for");
      return;
    }
    this.#allowed = new Set();
    for (const path of includeDev) {
      try {
        const fd = open(path, OpenFlag.PATH);
        this.#allowed.add(fstat(fd).dev);
        close(fd);
      } catch (error) {
        throw new DozoError(`cannot look up the device of '${path}': ${errorMessage(error)}`, { cause: error });
      }
    }
  }

  /** The source's own device may always be entered. */
  allow(device: Device): void {
    this.#allowed?.add(device);
  }

  #lookUp(fd: number, device: Device): { virtual: boolean; features: SourceFeatures } {
    let known = this.#known.get(device);
    if (!known) {
      const magic = statfs(fd).type;
      known = { virtual: isVirtual(magic), features: sourceFeatures(magic, this.#wanted) };
      this.#known.set(device, known);
    }
    return known;
  }

  /** Attributes that the file system of the open directory `fd` has. */
  features(fd: number, device: Device): SourceFeatures {
    return this.#lookUp(fd, device).features;
  }

  /** True for a file system that the kernel makes up. */
  isVirtual(fd: number, device: Device): boolean {
    return this.#lookUp(fd, device).virtual;
  }

  /** True when the content of the mount point `fd` belongs into the archive. */
  enters(fd: number, device: Device): boolean {
    return !this.isVirtual(fd, device) && (this.#allowed === undefined || this.#allowed.has(device));
  }
}
