/** Asking for a password on the terminal, without showing it. */
import { viewOf } from "../base/bytes.ts";
import { DozoError } from "../base/errors.ts";
import { close, open, readAsync, writeAll } from "./file.ts";
import { failedOn } from "./fs_error.ts";
import { lastErrno, libc } from "./libc.ts";
import { OpenFlag } from "./open_flags.ts";

// `struct termios` of glibc on Linux: four 32-bit flag words, of which the fourth holds the local modes.
const TERMIOS_SIZE = 60;
const LOCAL_MODES_OFFSET = 12;
const ECHO = 0o10;
const ECHO_NEWLINE = 0o100;
const TCSAFLUSH = 2;
const LINE_MAX = 4096;
const NEWLINE = 0x0a;

/**
 * Shows `prompt` on the controlling terminal and reads one line without echo (the newline is shown and not returned).
 * The terminal is as before afterwards, also when the program is interrupted meanwhile (Ctrl-C).
 * Throws {@link DozoError} when there is no terminal, or when its input ends before a line does.
 */
export async function readPassword(prompt: string): Promise<string> {
  let fd: number;
  try {
    fd = open("/dev/tty", OpenFlag.READ_WRITE | OpenFlag.NO_CTTY);
  } catch (error) {
    throw new DozoError("there is no terminal to ask for the password: give it by file or environment variable", {
      cause: error,
    });
  }
  try {
    return await readHidden(fd, prompt);
  } finally {
    close(fd);
  }
}

/** {@link readPassword} on an open terminal. */
export async function readHidden(fd: number, prompt: string): Promise<string> {
  const before = new Uint8Array(TERMIOS_SIZE);
  if (libc().tcgetattr(fd, before) !== 0) throw failedOn("use the terminal", fd, lastErrno());
  const silent = Uint8Array.from(before);
  const modes = viewOf(silent).getUint32(LOCAL_MODES_OFFSET, true);
  viewOf(silent).setUint32(LOCAL_MODES_OFFSET, (modes & ~ECHO) | ECHO_NEWLINE, true);
  const restore = () => void libc().tcsetattr(fd, TCSAFLUSH, before);
  const interrupted = () => {
    restore();
    Deno.exit(130);
  };
  Deno.addSignalListener("SIGINT", interrupted);
  try {
    if (libc().tcsetattr(fd, TCSAFLUSH, silent) !== 0) throw failedOn("use the terminal", fd, lastErrno());
    writeAll(fd, new TextEncoder().encode(prompt));
    return await readLine(fd);
  } finally {
    restore();
    Deno.removeSignalListener("SIGINT", interrupted);
  }
}

async function readLine(fd: number): Promise<string> {
  const line = new Uint8Array(LINE_MAX);
  let length = 0;
  while (length < LINE_MAX) {
    const count = await readAsync(fd, line.subarray(length));
    if (count === 0) break;
    length += count;
    if (line[length - 1] === NEWLINE) return new TextDecoder().decode(line.subarray(0, length - 1));
  }
  throw new DozoError("the terminal's input ended before a password was entered");
}
