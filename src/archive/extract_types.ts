/** Options and result of extracting an archive. */
import type { Pattern } from "../formats/pattern.ts";
import type { Features } from "./features.ts";

export interface ExtractOptions {
  /** Directory to extract into; created (0700) when missing. */
  target: string;
  /** Attributes and entry types to restore; {@link DEFAULT_FEATURES} unless given. */
  features?: Features;
  /** Sub-directories (and the target itself) may exist. */
  allowExistingDirs?: boolean;
  overwriteFiles?: boolean;
  overwriteSymlinks?: boolean;
  overwriteHardlinks?: boolean;
  /** Extract only what matches (`spec/pxar.md` §12); everything when empty or missing. */
  patterns?: readonly Pattern[];
  /** File that gets the archive's prelude. */
  preludeTarget?: string;
  /** Devices that may not be created (EPERM) are reported as warnings instead of errors. */
  ignoreDeviceErrors?: boolean;
  /** Stop at the first error instead of reporting it and going on. */
  strict?: boolean;
  /** Warnings, and without `strict` errors, one line each. */
  log?: (line: string) => void;
  signal?: AbortSignal;
}

export interface ExtractStats {
  directories: number;
  files: number;
  /** Content bytes written. */
  bytes: number;
  /** Errors that were reported and passed over (never above 0 with `strict`). */
  errors: number;
}
