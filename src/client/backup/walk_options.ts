/** What of a directory is backed up. */
import type { CreateOptions } from "../../archive/create_types.ts";

/** Options of the walk, from the command line. */
export type WalkOptions = Pick<
  CreateOptions,
  "excludes" | "skipLostAndFound" | "includeDev" | "allFileSystems" | "entriesMax" | "skipE2bigXattr"
>;
