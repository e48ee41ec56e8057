import assert from "node:assert/strict";
import fc from "fast-check";
import { fromHex } from "../base/bytes.ts";
import { FormatError } from "../base/errors.ts";
import { type AclEntry, newAcl } from "../formats/pxar/mod.ts";
import { accessXattr, aclFromXattrs, defaultXattr } from "./acl.ts";

const permissions = fc.integer({ min: 0, max: 7 });
const entries = fc.uniqueArray(
  fc.record({ id: fc.integer({ min: 0, max: 2 ** 32 - 2 }), permissions }, { noNullPrototype: true }),
  { maxLength: 4, selector: ({ id }) => id },
);
const sorted = (list: readonly AclEntry[]) => [...list].sort((a, b) => a.id - b.id);

Deno.test("an ACL survives the way to the kernel's form and back, sorted by id", () => {
  fc.assert(
    fc.property(entries, entries, permissions, fc.integer({ min: 0, max: 0o777 }), (users, groups, groupObj, mode) => {
      const acl = { ...newAcl(), users, groups, groupObj };
      const { value, lossy } = accessXattr(acl, mode);
      assert.equal(lossy, false);
      const back = aclFromXattrs(value, undefined);
      assert.deepEqual(back, { ...acl, users: sorted(users), groups: sorted(groups) });
    }),
  );
});

Deno.test("a default ACL survives as well, with or without its mask", () => {
  fc.assert(
    fc.property(entries, permissions, fc.option(permissions, { nil: undefined }), (users, right, mask) => {
      const acl = { ...newAcl(), defaultUsers: users, default: { user: right, group: right, other: right, mask } };
      const value = defaultXattr(acl);
      assert.deepEqual(aclFromXattrs(undefined, value), { ...acl, defaultUsers: sorted(users) });
    }),
  );
});

Deno.test("an ACL that says no more than the mode is none", () => {
  const { value } = accessXattr(newAcl(), 0o754);
  assert.equal(aclFromXattrs(value, undefined), undefined);
  assert.equal(aclFromXattrs(undefined, undefined), undefined);
  assert.equal(defaultXattr(newAcl()), undefined);
});

Deno.test("named entries without the owning group's own rights get these from the mode, and say so", () => {
  const { lossy, value } = accessXattr({ ...newAcl(), users: [{ id: 5, permissions: 7 }] }, 0o750);
  assert.equal(lossy, true);
  assert.deepEqual(aclFromXattrs(value, undefined), {
    ...newAcl(),
    users: [{ id: 5, permissions: 7 }],
    groupObj: 5,
  });
});

Deno.test("what is no ACL is refused in both directions", () => {
  for (const value of ["", "02", "03000000", "0200000001", "0200000099000700ffffffff"]) {
    assert.throws(() => aclFromXattrs(fromHex(value), undefined), FormatError);
  }
  assert.throws(() => accessXattr({ ...newAcl(), users: [{ id: 2 ** 33, permissions: 7 }] }, 0), FormatError);
  assert.throws(() => accessXattr({ ...newAcl(), groups: [{ id: 1, permissions: 9 }] }, 0), FormatError);
});
