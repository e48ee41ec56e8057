import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../../base/errors.ts";
import { BACKUP_TYPES, parseGroup } from "../backup_path.ts";
import { formatGroupFilter, type GroupFilter, isGroupSelected, parseGroupFilter } from "./group_filter.ts";

function selected(filters: string[], groups: string[]): string[] {
  const parsed = filters.map(parseGroupFilter);
  return groups.filter((group) => isGroupSelected(parsed, parseGroup(group)));
}

Deno.test("a group is selected by one including filter, or without any, unless an excluding one matches", () => {
  const groups = ["vm/100", "vm/101", "ct/100", "ct/2100", "host/pbs1"];
  assert.deepEqual(selected([], groups), groups);
  assert.deepEqual(selected(["type:vm", "exclude:group:vm/100", "regex:^ct/1[0-9]+$"], groups), ["vm/101", "ct/100"]);
  assert.deepEqual(selected(["exclude:type:vm"], groups), ["ct/100", "ct/2100", "host/pbs1"]);
  assert.deepEqual(selected(["include:regex:100"], groups), ["vm/100", "ct/100", "ct/2100"]);
  assert.deepEqual(selected(["group:host/pbs1", "exclude:regex:pbs"], groups), []);
});

Deno.test("filters are written without include, and refused with the words of PBS", () => {
  for (const text of ["type:vm", "exclude:group:vm/100", "regex:^ct/1[0-9]:x$"]) {
    assert.equal(formatGroupFilter(parseGroupFilter(text)), text);
    assert.equal(formatGroupFilter(parseGroupFilter(text.replace(/^(?!exclude)/, "include:"))), text);
  }
  assert.throws(() => parseGroupFilter("type:foo"), { message: 'invalid backup type "foo"' });
  for (
    const bad of ["", "vm", "group:vm", "group:vm/../x", "regex:(", "exclude:", "exclude:include:type:vm", "Type:vm"]
  ) {
    assert.throws(() => parseGroupFilter(bad), FormatError, bad);
  }
});

Deno.test("property: filters come back from their text", () => {
  const group = fc.record({
    type: fc.constantFrom(...BACKUP_TYPES),
    id: fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/),
  });
  const text = fc.oneof(
    fc.constantFrom(...BACKUP_TYPES).map((type) => `type:${type}`),
    group.map(({ type, id }) => `group:${type}/${id}`),
    fc.stringMatching(/^[a-z0-9/^$.]{0,20}$/).map((regex) => `regex:${regex}`),
  );
  fc.assert(fc.property(text, fc.boolean(), group, (text, exclude, group) => {
    const filter: GroupFilter = parseGroupFilter(exclude ? `exclude:${text}` : text);
    assert.equal(filter.exclude, exclude);
    assert.equal(formatGroupFilter(filter), exclude ? `exclude:${text}` : text);
    const opposite = { ...filter, exclude: !exclude };
    assert.notEqual(isGroupSelected([filter], group), isGroupSelected([opposite], group));
  }));
});

Deno.test("fuzz: any text is a filter or a FormatError", () => {
  const piece = fc.constantFrom("include", "exclude", ":", "type", "group", "regex", "vm", "/", "1", "(", "\n", "é");
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(piece).map((all) => all.join(""))), (text) => {
    try {
      isGroupSelected([parseGroupFilter(text)], { type: "vm", id: "100" });
    } catch (error) {
      assert.ok(error instanceof FormatError, String(error));
    }
  }));
});
