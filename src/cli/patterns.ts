/** `--pattern` options: which paths of an archive are wanted. */
import { errorMessage } from "../base/errors.ts";
import { list, ParameterError, text } from "../config/schema/mod.ts";
import { parsePattern, type Pattern } from "../formats/pattern.ts";

/** The option; a pattern may not end in a backslash that escapes nothing. */
export const matchPatterns = () =>
  list(text({ pattern: /^.+[^\\]$/, description: "Only paths that match, such as '**/*.conf'." })).optional();

/** Compiles the patterns given. Throws ParameterError for a malformed one. */
export function parsePatterns(given: readonly string[]): Pattern[] {
  return given.map((one) => {
    try {
      return parsePattern(one, { kind: "include" });
    } catch (error) {
      throw ParameterError.of("pattern", `unable to parse '${one}' - ${errorMessage(error)}`);
    }
  });
}
