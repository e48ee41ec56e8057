import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import {
  type BackupGroup,
  compareGroups,
  compareSnapshots,
  formatGroup,
  formatSnapshot,
  groupPath,
  isBackupId,
  parseBackupType,
  parseGroup,
  parseGroupOrSnapshot,
  parseSnapshot,
  snapshotPath,
} from "./backup_path.ts";
import { formatBackupTime, isBackupTime, isBackupTimeText, parseBackupTime } from "./backup_time.ts";
import { checkName, nameProblem } from "./names.ts";
import {
  joinNamespace,
  namespaceContains,
  namespaceDepth,
  namespacePath,
  newNamespace,
  parentNamespace,
  parseNamespace,
  rebaseNamespace,
} from "./namespace.ts";

const TIMES = JSON.parse(
  Deno.readTextFileSync(new URL("../../test/vectors/time/upid-and-times.json", import.meta.url)),
).backup_times;

Deno.test("TM-07 backup types are exactly vm, ct and host", () => {
  for (const type of ["vm", "ct", "host"]) assert.equal(parseBackupType(type), type);
  for (const type of ["foo", "", "VM", "vm ", "toString"]) assert.throws(() => parseBackupType(type), FormatError);
});

Deno.test("TM-08 backup ids: letters, digits, underscore, dot and dash, not starting with dot or dash", () => {
  for (const id of ["a.b_c-1", "100", "_x", "A"]) assert.ok(isBackupId(id), id);
  for (const id of ["-x", ".x", "", "a/b", "a b", "ä", "x\n", "..", "a".repeat(256)]) assert.ok(!isBackupId(id), id);
});

Deno.test("TM-09 backup times are whole seconds from 1 on", () => {
  assert.ok(isBackupTime(1));
  for (const bad of [0, -1, 1.5, NaN, 253402300800]) assert.throws(() => formatBackupTime(bad), FormatError);
});

Deno.test("TM-10 times are written as in the directories of a real server", () => {
  for (const { unix, name } of TIMES) {
    assert.equal(formatBackupTime(unix), name);
    assert.equal(parseBackupTime(name), unix);
  }
  const bad = [
    "2024-02-30T00:00:00Z",
    "2023-02-29T00:00:00Z",
    "2024-01-01T24:00:00Z",
    "2024-1-1T00:00:00Z",
    "1970-01-01T00:00:00Z",
  ];
  bad.push(
    "2024-01-01T00:00:00+00:00",
    "2024-01-01T00:00:00.0Z",
    "2024-01-01 00:00:00Z",
    "2024-01-01T00:00:60Z",
    "1969-12-31T23:59:59Z",
  );
  for (const text of bad) assert.ok(!isBackupTimeText(text), text);
});

Deno.test("TM-10 groups and snapshots are named as their directories", () => {
  const snapshot = parseSnapshot("vm/104/2019-10-09T08:01:06Z");
  assert.deepEqual(snapshot, { type: "vm", id: "104", time: 1570608066 });
  assert.equal(formatSnapshot(snapshot), "vm/104/2019-10-09T08:01:06Z");
  assert.equal(snapshotPath("a/b", snapshot), "ns/a/ns/b/vm/104/2019-10-09T08:01:06Z");
  assert.equal(groupPath("", snapshot), "vm/104");
  assert.equal(formatGroup(parseGroup("host/x")), "host/x");
  assert.equal(parseGroupOrSnapshot("ct/1").time, undefined);
  assert.equal(parseGroupOrSnapshot("ct/1/2019-10-09T08:01:06Z").time, 1570608066);
  for (const bad of ["", "vm", "vm/", "vm/1/", "foo/1", "vm/../x", "/vm/1", "vm/1/x", "vm/1/2019-10-09T08:01:06Z/x"]) {
    assert.throws(() => parseGroupOrSnapshot(bad), FormatError, bad);
  }
});

Deno.test("TM-11 namespaces: safe components, seven levels, 256 characters", () => {
  assert.deepEqual(parseNamespace("a/b/c"), ["a", "b", "c"]);
  assert.deepEqual(parseNamespace(""), []);
  const seven = "a/b/c/d/e/f/g";
  assert.equal(namespaceDepth(seven), 7);
  assert.throws(() => joinNamespace(seven, "h"), /too deep/);
  assert.throws(() => newNamespace(seven, "h"), /too deep/);
  assert.throws(() => newNamespace("a", "x".repeat(33)), /1 to 32/);
  assert.equal(newNamespace("a", "x".repeat(32)).length, 34);
  assert.throws(() => newNamespace("a", "b/c"), FormatError);
  assert.throws(() => parseNamespace(`${"x".repeat(128)}/${"y".repeat(128)}`), /too long/);
  assert.equal(parseNamespace(`${"x".repeat(128)}/${"y".repeat(127)}`).length, 2);
  for (const bad of ["/a", "a/", "a//b", "../a", "a/.b", "-a", "a b"]) {
    assert.throws(() => parseNamespace(bad), FormatError, bad);
  }
});

Deno.test("TM-11 namespaces map to directories and to each other", () => {
  assert.equal(namespacePath("a/b/c"), "ns/a/ns/b/ns/c");
  assert.equal(namespacePath(""), "");
  assert.equal(parentNamespace("a/b"), "a");
  assert.equal(parentNamespace("a"), "");
  assert.equal(parentNamespace(""), undefined);
  assert.ok(namespaceContains("a", "a/b") && namespaceContains("", "a") && namespaceContains("a", "a"));
  assert.ok(!namespaceContains("a", "ab"));
  assert.equal(rebaseNamespace("a/b/c", "a", "x/y"), "x/y/b/c");
  assert.equal(rebaseNamespace("a", "a", ""), "");
  assert.equal(rebaseNamespace("a/b", "", "x"), "x/a/b");
  assert.throws(() => rebaseNamespace("ab", "a", "x"), /not below/);
});

Deno.test("TM-12 groups: ct, host, vm; numbers by value before text", () => {
  const sorted = ["ct/200", "host/9", "host/10", "host/99999999999999999999", "host/a", "host/b1", "vm/9", "vm/100"];
  const groups = sorted.map(parseGroup);
  assert.deepEqual([...groups].reverse().sort(compareGroups).map(formatGroup), sorted);
  const early = { ...groups[0], time: 5 };
  assert.ok(compareSnapshots(early, { ...groups[0], time: 6 }) < 0);
});

Deno.test("TM-13 lengths of names per kind", () => {
  assert.ok(nameProblem("datastore", "ab"));
  assert.equal(nameProblem("datastore", "abc"), undefined);
  assert.ok(nameProblem("datastore", "a".repeat(33)));
  assert.equal(nameProblem("realm", "ad"), undefined);
  assert.equal(nameProblem("media pool", "p2"), undefined);
  assert.equal(nameProblem("media label", "L1"), undefined);
  for (const kind of ["drive", "changer", "job", "remote", "traffic rule", "metric server"] as const) {
    assert.ok(nameProblem(kind, "ab"), kind);
    assert.equal(nameProblem(kind, "a".repeat(32)), undefined, kind);
  }
  assert.throws(() => checkName("datastore", "-abc"), /must not start with/);
  assert.equal(checkName("datastore", "store-3.x_y"), "store-3.x_y");
});

const group = fc.record({
  type: fc.constantFrom("vm" as const, "ct" as const, "host" as const),
  id: fc.oneof(fc.nat().map(String), fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/)),
}, { noNullPrototype: true });

Deno.test("property: names come back and the order is total", () => {
  const time = fc.integer({ min: 1, max: 253402300799 });
  fc.assert(fc.property(group, time, (one, seconds) => {
    assert.deepEqual(parseSnapshot(formatSnapshot({ ...one, time: seconds })), { ...one, time: seconds });
  }));
  fc.assert(fc.property(group, group, group, (a: BackupGroup, b, c) => {
    assert.equal(Math.sign(compareGroups(a, b)) + Math.sign(compareGroups(b, a)), 0);
    assert.equal(compareGroups(a, a), 0);
    if (compareGroups(a, b) <= 0 && compareGroups(b, c) <= 0) assert.ok(compareGroups(a, c) <= 0);
  }));
});

Deno.test("fuzz: any path text parses or is a FormatError", () => {
  const piece = fc.constantFrom("vm", "/", "100", "..", "2024-01-01T00:00:00Z", "a", ".", "-", "\n", "ns");
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
    for (const parse of [parseGroupOrSnapshot, parseNamespace, parseBackupTime]) {
      try {
        parse(pieces.join(""));
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
  }));
});
