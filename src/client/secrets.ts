/**
 * Passwords from the environment: variable, `_FD`, `_FILE`, `_CMD`, systemd credential; the first that is defined wins
 * and only its first line counts (rows CL-21 … CL-28).
 */
import { readFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { DozoError, errorMessage } from "../base/errors.ts";

/** Which secret is wanted. `variable` is the plain variable's name, `credential` the file name below `CREDENTIALS_DIRECTORY`. */
export interface SecretName {
  readonly variable: string;
  readonly credential: string;
}

export const LOGIN_PASSWORD: SecretName = {
  variable: "PBS_PASSWORD",
  credential: "proxmox-backup-client.password",
};
export const ENCRYPTION_PASSWORD: SecretName = {
  variable: "PBS_ENCRYPTION_PASSWORD",
  credential: "proxmox-backup-client.encryption-password",
};

const MAX_SECRET_BYTES = 64 * 1024;

/** The secret, or undefined when no source is defined. Throws {@link DozoError} when a defined source cannot be read. */
export function secretFromEnvironment(name: SecretName): string | undefined {
  const sources: [suffix: string, read: (value: string) => Uint8Array][] = [
    ["", (value) => new TextEncoder().encode(value)],
    ["_FD", (value) => readFileSync(fileDescriptor(value))],
    ["_FILE", (value) => readFileSync(value)],
    ["_CMD", (value) => runForOutput(value)],
  ];
  for (const [suffix, read] of sources) {
    const variable = name.variable + suffix;
    const value = Deno.env.get(variable);
    if (value === undefined) continue;
    return firstLine(variable, () => read(value));
  }
  return readCredential(name.credential);
}

/** First line of a systemd credential, or undefined where there is none. */
export function readCredential(name: string): string | undefined {
  const directory = Deno.env.get("CREDENTIALS_DIRECTORY");
  if (!directory) return undefined;
  const path = `${directory}/${name}`;
  try {
    Deno.statSync(path);
  } catch {
    return undefined;
  }
  return firstLine(path, () => readFileSync(path));
}

/** Splits a command line into words like a shell does: quotes and backslashes, no expansion. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    word ??= "";
    if (char === "'" || char === '"') {
      const end = closingQuote(text, i);
      const inner = text.slice(i + 1, end);
      word += char === '"' ? inner.replace(/\\(["\\$`])/g, "$1") : inner;
      i = end;
    } else if (char === "\\" && i + 1 < text.length) {
      word += text[++i];
    } else {
      word += char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function closingQuote(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === text[start]) return i;
    if (text[i] === "\\" && text[start] === '"') i++;
  }
  throw new DozoError(`missing closing quote in '${text}'`);
}

function fileDescriptor(value: string): number {
  const fd = Number(value);
  if (!/^\d+$/.test(value) || fd > 0x7fff_ffff) throw new DozoError(`'${value}' is not a file descriptor number`);
  return fd;
}

function runForOutput(commandLine: string): Uint8Array {
  const [command, ...args] = splitWords(commandLine);
  if (!command) throw new DozoError("the command is empty");
  return execFileSync(command, args, { stdio: ["inherit", "pipe", "inherit"], maxBuffer: MAX_SECRET_BYTES });
}

function firstLine(source: string, read: () => Uint8Array): string {
  let bytes: Uint8Array;
  try {
    bytes = read();
  } catch (error) {
    throw new DozoError(`unable to read the password from ${source}: ${errorMessage(error)}`, { cause: error });
  }
  if (bytes.length > MAX_SECRET_BYTES) throw new DozoError(`the password from ${source} is longer than 64 KiB`);
  const end = bytes.indexOf(0x0a);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(end < 0 ? bytes : bytes.subarray(0, end)).replace(
      /\r$/,
      "",
    );
  } catch {
    throw new DozoError(`the password from ${source} is not valid UTF-8`);
  }
}
