/** Where a stream is restored to: a new file or standard output. */
import { closeSync, openSync, unlinkSync, writeSync } from "node:fs";
import { DozoError, errorMessage } from "../../base/errors.ts";

/** Takes bytes in order. */
export interface Output {
  /** Resolves when all bytes are written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends a complete output. */
  close(): void;
  /** Ends an incomplete one: a file is removed again. */
  discard(): void;
}

/** `-` is standard output; anything else a file that must not exist yet, unless `replace` says so (mode 0600). */
export function openOutput(target: string, options: { replace?: boolean } = {}): Output {
  if (target === "-") return { write: writeAllTo(1), close: () => {}, discard: () => {} };
  let fd: number;
  try {
    fd = openSync(target, options.replace ? "w" : "wx", 0o600);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") {
      throw new DozoError(`unable to create file '${target}': it already exists and is never overwritten`);
    }
    throw new DozoError(`unable to create file '${target}': ${errorMessage(error)}`, { cause: error });
  }
  return {
    write: writeAllTo(fd),
    close: () => closeSync(fd),
    discard: () => {
      closeSync(fd);
      unlinkSync(target);
    },
  };
}

/** Pipes may take only a part, or nothing for now. */
function writeAllTo(fd: number): (bytes: Uint8Array) => Promise<void> {
  return async (bytes) => {
    for (let at = 0; at < bytes.length;) {
      try {
        at += writeSync(fd, bytes, at);
      } catch (error) {
        const code = (error as { code?: string }).code;
        if (code !== "EAGAIN") throw new DozoError(`unable to write the restored data: ${errorMessage(error)}`);
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }
  };
}
