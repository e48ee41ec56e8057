/**
 * The part of libc that is used. It is the one library without a fallback: the runtime itself needs it, and nothing else
 * reaches nanosecond times, extended attributes, device nodes, `O_NOFOLLOW` walking and locks.
 */
import { DozoError } from "../base/errors.ts";
import { once, openLibrary, type Symbols } from "./library.ts";

// Variadic functions (openat, ioctl, fcntl) are called like others: so it is on Linux for both supported processors.
// Byte counts come back as i32 because no call moves 2 GiB; a 64-bit result would be a bigint.
const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  strerror: { parameters: ["i32"], result: "pointer" },

  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  dup: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  pread: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  pwrite: { parameters: ["i32", "buffer", "usize", "i64"], result: "i32" },
  readNonblocking: { name: "read", parameters: ["i32", "buffer", "usize"], result: "i32", nonblocking: true },
  preadNonblocking: { name: "pread", parameters: ["i32", "buffer", "usize", "i64"], result: "i32", nonblocking: true },
  pwriteNonblocking: {
    name: "pwrite",
    parameters: ["i32", "buffer", "usize", "i64"],
    result: "i32",
    nonblocking: true,
  },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  fallocate: { parameters: ["i32", "i32", "i64", "i64"], result: "i32" },
  posix_fadvise: { parameters: ["i32", "i64", "i64", "i32"], result: "i32" },
  copy_file_range: { parameters: ["i32", "buffer", "i32", "buffer", "usize", "u32"], result: "i32", nonblocking: true },
  fsync: { parameters: ["i32"], result: "i32" },
  fdatasync: { parameters: ["i32"], result: "i32" },
  fsyncNonblocking: { name: "fsync", parameters: ["i32"], result: "i32", nonblocking: true },
  fdatasyncNonblocking: { name: "fdatasync", parameters: ["i32"], result: "i32", nonblocking: true },
  syncfsNonblocking: { name: "syncfs", parameters: ["i32"], result: "i32", nonblocking: true },

  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  statfs: { parameters: ["buffer", "buffer"], result: "i32" },
  fstatfs: { parameters: ["i32", "buffer"], result: "i32" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  faccessat: { parameters: ["i32", "buffer", "i32", "i32"], result: "i32" },

  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  mknodat: { parameters: ["i32", "buffer", "u32", "u64"], result: "i32" },
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  renameat2: { parameters: ["i32", "buffer", "i32", "buffer", "u32"], result: "i32" },

  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fchmodat: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },

  flistxattr: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "i32" },
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  fremovexattr: { parameters: ["i32", "buffer"], result: "i32" },
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "i32" },
  lsetxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  lremovexattr: { parameters: ["buffer", "buffer"], result: "i32" },

  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "buffer"], result: "i32" },

  getuid: { parameters: [], result: "u32" },
  geteuid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  getegid: { parameters: [], result: "u32" },
  setuid: { parameters: ["u32"], result: "i32" },
  setgid: { parameters: ["u32"], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  getppid: { parameters: [], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  isatty: { parameters: ["i32"], result: "i32" },
  tcgetattr: { parameters: ["i32", "buffer"], result: "i32" },
  tcsetattr: { parameters: ["i32", "i32", "buffer"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
} as const;

/** The opened library. Throws {@link DozoError} where it is not the libc of a Linux of 2021 or later (glibc 2.33). */
export const libc: () => Symbols<typeof SYMBOLS> = once(() => {
  const lib = openLibrary(["libc.so.6"], SYMBOLS);
  if (lib === null) {
    throw new DozoError("unable to use the system's libc.so.6: dozo needs Linux with glibc 2.33 or later", {
      status: 500,
    });
  }
  return lib;
});

// The error number of this thread is read straight from its place in memory: right after a call, at no cost.
const errnoCell = once(() => {
  const at = libc().__errno_location();
  if (at === null) throw new DozoError("the system's libc has no error numbers", { status: 500 });
  return new Int32Array(Deno.UnsafePointerView.getArrayBuffer(at, 4));
});

/** Error number of the last failed call of this thread; meaningful only right after a synchronous call. */
export function lastErrno(): number {
  return errnoCell()[0];
}

/** What the system says about an error number, such as `No such file or directory`. */
export function errnoMessage(errno: number): string {
  const text = libc().strerror(errno);
  return text === null ? `error ${errno}` : Deno.UnsafePointerView.getCString(text);
}
