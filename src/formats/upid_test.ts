import assert from "node:assert/strict";
import fc from "fast-check";
import { FormatError } from "../base/errors.ts";
import { escapeUnit, escapeUnitPath, unescapeUnit } from "./systemd_escape.ts";
import { formatUpid, isUpid, parseUpid } from "./upid.ts";

const readJson = (name: string) =>
  JSON.parse(Deno.readTextFileSync(new URL(`../../test/vectors/${name}`, import.meta.url)));

Deno.test("UPIDs of a real server are read and written", () => {
  const rows = [...readJson("time/upid-and-times.json").upids];
  for (const task of readJson("tasks/tasks.json")) rows.push(task["list-entry"]);
  assert.ok(rows.length > 20);
  for (const row of rows) {
    const upid = parseUpid(row.upid);
    assert.equal(upid.pid, row.pid);
    assert.equal(upid.pstart, row.pstart);
    assert.equal(upid.startTime, row.starttime);
    assert.equal(upid.workerType, row.worker_type);
    assert.equal(upid.workerId, row.worker_id);
    assert.equal(upid.authId, row.user);
    assert.equal(formatUpid(upid), row.upid);
  }
});

Deno.test("escaping of ids and lock paths", () => {
  assert.equal(escapeUnit("store1:vm/100"), "store1\\x3avm-100");
  assert.equal(escapeUnit("a-b.c_d"), "a\\x2db.c_d");
  assert.equal(escapeUnit(".hidden"), "\\x2ehidden");
  assert.equal(escapeUnit("ä"), "\\xc3\\xa4");
  assert.equal(escapeUnit(":/host/broken"), "\\x3a-host-broken");
  assert.equal(
    escapeUnitPath("vm/100/2022-05-02T08:11:33Z/.index.json.lck"),
    "vm-100-2022\\x2d05\\x2d02T08\\x3a11\\x3a33Z-.index.json.lck",
  );
  assert.equal(escapeUnitPath("//vm/100"), "vm-100");
  for (const bad of ["\\x", "\\xg0", "\\y41", "a\\", "\\xff", "ä"]) {
    assert.throws(() => unescapeUnit(bad), FormatError, bad);
  }
});

Deno.test("malformed UPIDs are refused", () => {
  const good = "UPID:vm:00006108:0002482E:000000E3:6B01972E:reader:x:backup@pbs:";
  assert.ok(isUpid(good));
  const bad = [
    good.slice(0, -1),
    `${good}x`,
    good.replace("UPID", "upid"),
    good.replace("00006108", "6108"),
    good.replace("0002482E", "0002482E00"),
    good.replace(":reader:", "::"),
    good.replace(":reader:", ":rea/der:"),
    good.replace(":x:", ": x:"),
    good.replace("vm", "-vm"),
    good.replace("vm", "../x"),
    good.replace("backup@pbs", ""),
    good.replace("000000E3", "FFFFFFFFFFFFFFFF"),
    good.replace(":x:", `:${"x".repeat(300)}:`),
    `${good}\n`,
  ];
  for (const text of bad) assert.throws(() => parseUpid(text), FormatError, text);
  const parts = parseUpid(good);
  assert.throws(() => formatUpid({ ...parts, workerType: "a b" }), FormatError);
  assert.throws(() => formatUpid({ ...parts, workerId: "é".repeat(60) }), FormatError);
});

Deno.test("property: escaped text is a safe file name and comes back; so do UPIDs", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const escaped = escapeUnit(text);
    assert.match(escaped, /^[A-Za-z0-9_.\\-]*$/);
    assert.equal(unescapeUnit(escaped), text);
  }));
  const u32 = fc.nat(0xffffffff);
  fc.assert(
    fc.property(
      u32,
      u32,
      u32,
      u32,
      fc.string({ minLength: 1, maxLength: 30 }),
      (pid, pstart, taskId, startTime, id) => {
        const upid = {
          node: "pbs-1",
          pid,
          pstart,
          taskId,
          startTime,
          workerType: "backup",
          workerId: id,
          authId: "a@b!c",
        };
        assert.deepEqual(parseUpid(formatUpid(upid)), upid);
      },
    ),
  );
});

Deno.test("fuzz: a mutated UPID parses or is a FormatError", () => {
  const good = "UPID:vm:00006108:0002482E:000000E3:6B01972E:reader:goldcopy\\x3avm-101-68759A00:backup@pbs:";
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(good.length - 1), fc.string({ maxLength: 2 })), { maxLength: 3 }), (edits) => {
      let text = good;
      for (const [at, piece] of edits) text = text.slice(0, at) + piece + text.slice(at + 1);
      try {
        parseUpid(text);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }),
  );
});
