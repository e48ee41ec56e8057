/** Questions to a person at the terminal. Without a terminal on standard input they fail at once. */
import { readSync } from "node:fs";
import { DozoError } from "../base/errors.ts";
import type { Prompts } from "../client/server.ts";
import { readPassword } from "../native/terminal.ts";
import { printError } from "./framework/print.ts";

const NEWLINE = 0x0a;

/** True when a person can be asked. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal();
}

/** Asks for a password without showing it. Rejects with {@link DozoError} without a terminal. */
export async function askPassword(question: string): Promise<string> {
  needTerminal("password");
  return await readPassword(question);
}

/** Asks until the answer is yes or no. Throws {@link DozoError} without a terminal or when the input ends. */
export function askYesNo(question: string): boolean {
  needTerminal("answer");
  while (true) {
    printError(question);
    const answer = readLine().trim().toLowerCase();
    if (answer === "y" || answer === "yes") return true;
    if (answer === "n" || answer === "no") return false;
  }
}

/** Asks for a new password twice. Rejects with {@link DozoError} when the two differ or it is shorter than `minLength` bytes. */
export async function newPassword(title: string, minLength: number): Promise<string> {
  const first = await askPassword(title);
  if (new TextEncoder().encode(first).length < minLength) {
    throw new DozoError(`password too short: use at least ${minLength} characters`);
  }
  if (await askPassword("Verify Password: ") !== first) throw new DozoError("passwords do not match");
  return first;
}

/** The client's way to ask. */
export function terminalPrompts(): Prompts {
  return {
    interactive: isInteractive(),
    password: askPassword,
    confirm: (question) => Promise.resolve().then(() => askYesNo(question)),
    say: (line) => printError(`${line}\n`),
  };
}

function needTerminal(what: string): void {
  if (!isInteractive()) throw new DozoError(`no ${what} input mechanism available: standard input is not a terminal`);
}

/** One line, byte by byte, so that what follows stays for the next question. */
function readLine(): string {
  const bytes: number[] = [];
  const byte = new Uint8Array(1);
  while (readSync(0, byte) === 1) {
    if (byte[0] === NEWLINE) return new TextDecoder().decode(Uint8Array.from(bytes));
    bytes.push(byte[0]);
  }
  throw new DozoError("the input ended before an answer was given");
}
