/** Opening an index whose bytes were read from a snapshot. */
import { DozoError, errorMessage } from "../../base/errors.ts";
import { DynamicIndex } from "../../formats/dynamic_index.ts";
import { FixedIndex } from "../../formats/fixed_index.ts";

/** The index in `bytes`. Throws 400 with the file's `name` when it is missing (undefined) or no valid index. */
export function openIndex(
  kind: "fixed" | "dynamic",
  bytes: Uint8Array | undefined,
  name: string,
): FixedIndex | DynamicIndex {
  if (!bytes) throw new DozoError(`Unable to open ${kind} index "${name}" - No such file or directory (os error 2)`);
  try {
    return kind === "fixed" ? new FixedIndex(bytes) : new DynamicIndex(bytes);
  } catch (error) {
    throw new DozoError(`Unable to open ${kind} index "${name}" - ${errorMessage(error)}`, { cause: error });
  }
}
