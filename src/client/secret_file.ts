/** Files with secrets: mode 0600, on stable storage before the call returns. */
import { closeSync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DozoError, errorMessage } from "../base/errors.ts";

/** Creates `path` with `content`; refuses to overwrite. A parent directory that is missing is made (0700). */
export function createNewFile(path: string, content: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeDurably(path, content);
  } catch (error) {
    if ((error as { code?: string }).code === "EEXIST") throw new DozoError(`file '${path}' already exists`);
    throw new DozoError(`unable to create '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

/** Replaces `path` atomically: after a crash it holds the old or the new content. */
export function replaceFile(path: string, content: string): void {
  const temporary = `${path}.tmp_${crypto.randomUUID().slice(0, 8)}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeDurably(temporary, content);
    renameSync(temporary, path);
  } catch (error) {
    throw new DozoError(`unable to write '${path}': ${errorMessage(error)}`, { cause: error });
  }
}

function writeDurably(path: string, content: string): void {
  const fd = openSync(path, "wx", 0o600);
  try {
    const bytes = new TextEncoder().encode(content);
    for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    fsyncSync(fd);
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(fd);
  }
}
