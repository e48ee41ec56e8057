import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { lstatSync } from "node:fs";
import { bytesEqual } from "../base/bytes.ts";
import * as fs from "./fs.ts";

const { OpenFlag } = fs;
const text = (bytes: Uint8Array | null) => bytes && new TextDecoder().decode(bytes);
const bytes = (value: string) => new TextEncoder().encode(value);

async function inDirectory(work: (path: string, fd: number) => void | Promise<void>): Promise<void> {
  const path = Deno.makeTempDirSync({ prefix: "dozo-fs-" });
  const fd = fs.open(path, OpenFlag.READ | OpenFlag.DIRECTORY);
  try {
    await work(path, fd);
  } finally {
    fs.close(fd);
    Deno.removeSync(path, { recursive: true });
  }
}

function makeFile(dirfd: number, name: fs.FileName, content = new Uint8Array()): number {
  const fd = fs.openat(dirfd, name, OpenFlag.READ_WRITE | OpenFlag.CREATE | OpenFlag.EXCLUSIVE, 0o640);
  fs.writeAll(fd, content);
  return fd;
}

Deno.test("fs: attributes agree with the runtime's own, times to the nanosecond", () =>
  inDirectory((path, dir) => {
    const fd = makeFile(dir, "file", bytes("hello"));
    fs.futimens(fd, { atime: { sec: -5, nsec: 7 }, mtime: { sec: 4_294_967_299, nsec: 123_456_789 } });
    const expected = lstatSync(`${path}/file`, { bigint: true });
    for (const found of [fs.fstat(fd), fs.fstatat(dir, "file"), fs.lstat(`${path}/file`)]) {
      assert.equal(found.ino, expected.ino);
      assert.equal(found.dev, Number(expected.dev));
      assert.equal(found.mode, Number(expected.mode));
      assert.equal(found.nlink, 1);
      assert.equal(found.uid, Number(expected.uid));
      assert.equal(found.gid, Number(expected.gid));
      assert.equal(found.size, 5);
      assert.equal(found.blocks, Number(expected.blocks));
      assert.deepEqual([found.atimeSec, found.atimeNsec], [-5, 7]);
      assert.deepEqual([found.mtimeSec, found.mtimeNsec], [4_294_967_299, 123_456_789]);
      assert.equal(BigInt(found.ctimeSec), expected.ctimeNs / 1_000_000_000n);
    }
    fs.utimensat(dir, "file", { atime: "now" });
    assert.equal(fs.fstat(fd).mtimeNsec, 123_456_789);
    assert.ok(fs.fstat(fd).atimeSec > 1_700_000_000);
    fs.utimensat(dir, "file", { atime: { sec: 1, nsec: 0 } });
    assert.equal(fs.touchAtime(`${path}/file`), true);
    assert.ok(fs.fstat(fd).atimeSec > 1_700_000_000);
    assert.equal(fs.touchAtime(`${path}/missing`), false);
    fs.close(fd);
  }));

Deno.test("fs: device numbers are split and joined as glibc does", () => {
  for (
    const [major, minor] of [[0, 0], [8, 1], [259, 1_048_575], [4095, 255], [4096, 256], [1_000_000, 4_294_967_295]]
  ) {
    const device = fs.makeDevice(major, minor);
    if (Number.isSafeInteger(device)) assert.deepEqual([fs.majorOf(device), fs.minorOf(device)], [major, minor]);
  }
  const null_ = fs.stat("/dev/null");
  assert.deepEqual([fs.majorOf(null_.rdev), fs.minorOf(null_.rdev)], [1, 3]);
  assert.equal(null_.mode & fs.FileType.MASK, fs.FileType.CHAR_DEVICE);
});

Deno.test("fs: names of any bytes can be made, listed, linked, renamed and removed", () =>
  inDirectory((path, dir) => {
    const odd = Uint8Array.of(0xff, 0x0a, 0x80, 0x20);
    const long = new Uint8Array(255).fill(0x78);
    fs.close(makeFile(dir, odd));
    fs.close(makeFile(dir, long));
    fs.mkdirat(dir, "sub", 0o700);
    fs.symlinkat(odd, dir, "link");
    fs.linkat(dir, odd, dir, "hard");
    fs.mknodat(dir, "fifo", fs.FileType.FIFO | 0o600);
    assert.ok(bytesEqual(fs.readlinkat(dir, "link"), odd));
    const handle = fs.openat(dir, "link", OpenFlag.PATH | OpenFlag.NOFOLLOW);
    assert.ok(bytesEqual(fs.readlinkat(handle, ""), odd));
    fs.close(handle);
    assert.equal(fs.lstat(`${path}/hard`).nlink, 2);
    const listed = fs.readDir(dir).sort((a, b) => Buffer.compare(a.name, b.name));
    assert.deepEqual(
      listed.map(({ name, type }) => [Buffer.from(name).toString("latin1"), type]),
      [
        ["fifo", fs.EntryType.FIFO],
        ["hard", fs.EntryType.FILE],
        ["link", fs.EntryType.SYMLINK],
        ["sub", fs.EntryType.DIRECTORY],
        ["x".repeat(255), fs.EntryType.FILE],
        ["\xff\n\x80 ", fs.EntryType.FILE],
      ],
    );
    assert.equal(fs.readDir(dir).length, 6, "a second listing starts from the beginning");
    fs.renameat2(dir, "hard", dir, "renamed", fs.RenameFlag.NOREPLACE);
    assert.throws(() => fs.renameat2(dir, "renamed", dir, "fifo", fs.RenameFlag.NOREPLACE), { code: "EEXIST" });
    assert.throws(() => fs.unlinkat(dir, "sub"), { code: "EISDIR" });
    fs.unlinkat(dir, "sub", fs.AtFlag.REMOVEDIR);
    fs.unlinkat(dir, odd);
    assert.equal(fs.fstatatOrNull(dir, odd), null);
    assert.equal(fs.fstatatOrNull(dir, "renamed")?.nlink, 1);
  }));

Deno.test("fs: a directory of thousands of entries is listed completely", () =>
  inDirectory((_, dir) => {
    fs.close(makeFile(dir, "file"));
    for (let i = 0; i < 6000; i++) fs.linkat(dir, "file", dir, `link-with-a-rather-long-name-${i}`);
    assert.equal(new Set(fs.readDir(dir).map(({ name }) => text(name))).size, 6001);
  }));

Deno.test("fs: O_NOFOLLOW stops at a symbolic link, and errors name code and full path", () =>
  inDirectory((path, dir) => {
    fs.symlinkat("/etc", dir, "link");
    assert.throws(() => fs.openat(dir, "link", OpenFlag.READ | OpenFlag.NOFOLLOW), { code: "ELOOP" });
    assert.throws(() => fs.openat(dir, "a\nb", OpenFlag.READ), {
      code: "ENOENT",
      errno: 2,
      message: `unable to open "${path}/a\\nb": No such file or directory (ENOENT)`,
    });
    assert.throws(() => fs.open("/a\0b", OpenFlag.READ), { code: "EINVAL" });
    assert.throws(() => fs.read(999_999, new Uint8Array(1)), { code: "EBADF" });
  }));

Deno.test("fs: data goes to the given place and comes back, on this thread and on others", () =>
  inDirectory(async (_, dir) => {
    const fd = makeFile(dir, "file");
    const data = crypto.getRandomValues(new Uint8Array(50_000));
    await Promise.all(Array.from({ length: 20 }, (_, i) => fs.pwriteAsync(fd, data, i * 50_000)));
    assert.equal(fs.fstat(fd).size, 1_000_000);
    await Promise.all(Array.from({ length: 20 }, async (_, i) => {
      const buffer = new Uint8Array(50_000);
      assert.equal(await fs.preadFullAsync(fd, buffer, i * 50_000), 50_000);
      assert.ok(Buffer.from(buffer).equals(data));
    }));
    assert.equal(fs.pwrite(fd, data.subarray(0, 10), 6_000_000_000), 10);
    const ten = new Uint8Array(20);
    assert.equal(fs.pread(fd, ten, 6_000_000_000), 10);
    assert.ok(bytesEqual(ten.subarray(0, 10), data.subarray(0, 10)));
    assert.equal(fs.lseek(fd, 0, 2), 6_000_000_010);
    assert.equal(fs.lseek(fd, 0), 0);
    assert.equal(fs.readFull(fd, new Uint8Array(60_000)), 60_000);
    fs.fsync(fd);
    fs.fdatasync(fd);
    await fs.fsyncAsync(fd);
    await fs.fdatasyncAsync(fd);
    await fs.syncfs(fd);
    await assert.rejects(() => fs.preadAsync(fd, new Uint8Array(10), -1), { code: "EINVAL" });
    fs.close(fd);
    await assert.rejects(() => fs.preadAsync(fd, new Uint8Array(10), 0), { code: "EBADF" });
    await assert.rejects(() => fs.fsyncAsync(fd), fs.FsError);
  }));

Deno.test("fs: holes are found, space is reserved, lengths are set", () =>
  inDirectory((path, dir) => {
    const fd = makeFile(dir, "sparse");
    fs.ftruncate(fd, 4 << 20);
    assert.equal(fs.seekData(fd, 0), null);
    fs.pwrite(fd, bytes("x"), 2 << 20);
    assert.equal(fs.seekData(fd, 0), 2 << 20);
    const hole = fs.seekHole(fd, 2 << 20);
    assert.ok(hole !== null && hole > 2 << 20 && hole < 4 << 20);
    assert.equal(fs.seekHole(fd, 5 << 20), null);
    fs.fallocate(fd, 0, 8 << 20);
    fs.advise(fd, fs.Advice.SEQUENTIAL);
    const [byPath, byFd] = [fs.statfs(path), fs.statfs(fd)];
    assert.equal(byPath.type, byFd.type);
    assert.ok(byPath.blocks >= byPath.blocksFree && byPath.blocksFree >= byPath.blocksAvailable);
    assert.equal(byPath.nameMax, 255);
    fs.close(fd);
  }));

Deno.test("fs: a file is copied within the kernel", () =>
  inDirectory(async (_, dir) => {
    const from = makeFile(dir, "from", bytes("content"));
    const to = makeFile(dir, "to");
    fs.lseek(from, 0);
    const copied = await fs.copyFileRange(from, to, 1000);
    if (copied !== null) {
      assert.equal(copied, 7);
      const buffer = new Uint8Array(10);
      assert.equal(fs.pread(to, buffer, 0), 7);
      assert.equal(text(buffer.subarray(0, 7)), "content");
    }
    fs.close(from);
    fs.close(to);
  }));

Deno.test("fs: extended attributes of files and links are set, listed, read and removed", () =>
  inDirectory((path, dir) => {
    const fd = makeFile(dir, "file");
    assert.deepEqual(fs.flistxattr(fd), []);
    assert.equal(fs.fgetxattr(fd, "user.none"), null);
    assert.equal(fs.fremovexattr(fd, "user.none"), false);
    try {
      fs.fsetxattr(fd, "user.one", bytes("1"));
    } catch (error) {
      fs.close(fd);
      if (fs.hasCode(error, "EOPNOTSUPP")) return;
      throw error;
    }
    fs.lsetxattr(`${path}/file`, "user.two", new Uint8Array(), fs.XattrFlag.CREATE);
    assert.throws(() => fs.fsetxattr(fd, "user.one", bytes("2"), fs.XattrFlag.CREATE), { code: "EEXIST" });
    assert.deepEqual(fs.flistxattr(fd).map(text).sort(), ["user.one", "user.two"]);
    assert.deepEqual(fs.llistxattr(`${path}/file`).map(text).sort(), ["user.one", "user.two"]);
    assert.equal(text(fs.fgetxattr(fd, "user.one")), "1");
    assert.equal(text(fs.lgetxattr(`${path}/file`, bytes("user.two"))), "");
    assert.equal(fs.lremovexattr(`${path}/file`, "user.one"), true);
    assert.equal(fs.lgetxattr(`${path}/file`, "user.one"), null);
    assert.throws(() => fs.lgetxattr(`${path}/none`, "user.one"), { code: "ENOENT" });
    fs.close(fd);
  }));

Deno.test("fs: owner and permissions of files and of links themselves", () =>
  inDirectory((_, dir) => {
    const fd = makeFile(dir, "file");
    fs.fchmod(fd, 0o4751);
    assert.equal(fs.fstat(fd).mode & 0o7777, 0o4751);
    fs.fchmodat(dir, "file", 0o600);
    assert.equal(fs.fstat(fd).mode & 0o7777, 0o600);
    const { uid, gid } = fs.fstat(fd);
    fs.fchown(fd, -1, gid);
    if (uid === 0) {
      fs.fchown(fd, 1234, 2345);
      fs.symlinkat("file", dir, "link");
      fs.fchownat(dir, "link", 77, 88);
      const link = fs.fstatat(dir, "link");
      assert.deepEqual([link.uid, link.gid], [77, 88]);
      const file = fs.fstatat(dir, "link", 0);
      assert.deepEqual([file.uid, file.gid], [1234, 2345]);
    }
    fs.close(fd);
  }));

Deno.test("fs: inode flags and project ids are read where they exist, FAT attributes only on FAT", () =>
  inDirectory((_, dir) => {
    const fd = makeFile(dir, "file");
    const flags = fs.getFlags(fd);
    if (flags !== null) {
      const NODUMP = 0x40;
      fs.setFlags(fd, flags | NODUMP);
      assert.equal(fs.getFlags(fd), flags | NODUMP);
      fs.setFlags(fd, flags);
    }
    const project = fs.getProjectId(fd);
    assert.ok(project === null || project === 0);
    assert.equal(fs.getFatAttributes(fd), null);
    assert.throws(() => fs.setFatAttributes(fd, 1), fs.FsError);
    fs.close(fd);
  }));
