import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { close, FsError, fsetxattr, fstat, open, OpenFlag } from "../native/fs.ts";
import type { SourceFeatures } from "./features.ts";
import { readMetadata, storedXattr } from "./source_metadata.ts";

const text = new TextEncoder();
const features: SourceFeatures = { xattrs: true, acls: true, fcaps: true, projectId: true, fatFlags: false };

Deno.test("only user, trusted and NT ACL attributes are stored, with names that a kernel takes", () => {
  for (const name of ["user.a", "trusted.b", "security.NTACL"]) assert.ok(storedXattr(text.encode(name)), name);
  for (const name of ["user.", "security.selinux", "system.posix_acl_access", "users.a", `user.${"x".repeat(255)}`]) {
    assert.ok(!storedXattr(text.encode(name)), name);
  }
});

/** A file with more attribute names than the kernel can list; only a file system in memory takes that many. */
function withTooManyXattrs(use: (fd: number) => void): boolean {
  if (!existsSync("/dev/shm")) return false;
  const path = Deno.makeTempFileSync({ dir: "/dev/shm" });
  const fd = open(path, OpenFlag.READ);
  try {
    for (let i = 0; i < 300; i++) fsetxattr(fd, `user.${String(i).padStart(250, "x")}`, text.encode("value"));
    use(fd);
    return true;
  } catch (error) {
    if (error instanceof FsError && ["EOPNOTSUPP", "ENOSPC"].includes(error.code)) return false;
    throw error;
  } finally {
    close(fd);
    Deno.removeSync(path);
  }
}

Deno.test("CL-52 attributes too big for the kernel are fatal, or left out with a warning on request", (context) => {
  const ran = withTooManyXattrs((fd) => {
    const read = (skipE2bigXattr: boolean, warn: (problem: string) => void) =>
      readMetadata(fd, fstat(fd), false, { features, skipE2bigXattr, warn });
    assert.throws(() => read(false, () => {}), (error) => error instanceof FsError && error.code === "E2BIG");
    const warnings: string[] = [];
    const { xattrs, mode } = read(true, (problem) => void warnings.push(problem));
    assert.equal(xattrs, undefined);
    assert.ok(mode > 0);
    assert.equal(warnings.length, 1);
  });
  if (!ran) console.log(`${context.name}: skipped, no file system here takes that many attributes`);
});
