/** Filters of backup groups: `type:vm`, `exclude:group:ct/100`, `regex:^vm/1` (`spec/config-files.md` §11). */
import { FormatError } from "../../base/errors.ts";
import { type BackupGroup, type BackupType, formatGroup, isBackupType, parseGroup } from "../backup_path.ts";
import { Regex } from "../regex/regex.ts";

/** One filter. */
export interface GroupFilter {
  readonly exclude: boolean;
  readonly test: FilterTest;
}

/** What a filter looks at: the type, the very group, or an expression that matches anywhere in `TYPE/ID`. */
export type FilterTest =
  | { readonly kind: "type"; readonly type: BackupType }
  | { readonly kind: "group"; readonly group: BackupGroup }
  | { readonly kind: "regex"; readonly regex: Regex };

/** Parses a filter. Throws {@link FormatError}. */
export function parseGroupFilter(text: string): GroupFilter {
  const match = /^(?:(include|exclude):)?(type|group|regex):(.*)$/s.exec(text);
  if (!match) {
    throw new FormatError(
      `unknown group filter '${
        text.slice(0, 200)
      }': expected [include:|exclude:] and type:TYPE, group:TYPE/ID or regex:REGEX`,
    );
  }
  return { exclude: match[1] === "exclude", test: parseTest(match[2], match[3]) };
}

/** The text of a filter; including ones have no prefix. */
export function formatGroupFilter({ exclude, test }: GroupFilter): string {
  const value = test.kind === "type" ? test.type : test.kind === "group" ? formatGroup(test.group) : test.regex.source;
  return `${exclude ? "exclude:" : ""}${test.kind}:${value}`;
}

/** True when some including filter matches, or there is none, and no excluding one does. */
export function isGroupSelected(filters: readonly GroupFilter[], group: BackupGroup): boolean {
  const included = filters.every((filter) => filter.exclude) ||
    filters.some((filter) => !filter.exclude && matches(filter.test, group));
  return included && !filters.some((filter) => filter.exclude && matches(filter.test, group));
}

function parseTest(kind: string, value: string): FilterTest {
  if (kind === "regex") return { kind, regex: new Regex(value) };
  if (kind === "group") return { kind, group: parseGroup(value) };
  if (!isBackupType(value)) throw new FormatError(`invalid backup type "${value.slice(0, 80)}"`);
  return { kind: "type", type: value };
}

function matches(test: FilterTest, group: BackupGroup): boolean {
  if (test.kind === "type") return test.type === group.type;
  if (test.kind === "regex") return test.regex.test(formatGroup(group));
  return test.group.type === group.type && test.group.id === group.id;
}
