/** Questions to a person at the terminal. Without a terminal on standard input they fail at once. */
import { readSync } from "node:fs";
import { DozoError } from "../base/errors.ts";
import type { Prompts } from "../client/server.ts";
import { printError } from "./framework/print.ts";
import { LineInput } from "./line_input.ts";

/** True when a person can be asked. */
export function isInteractive(): boolean {
  return Deno.stdin.isTerminal();
}

/** Asks for a password without showing it. Throws {@link DozoError} without a terminal or when the person gives up. */
export function askPassword(question: string): string {
  needTerminal("password");
  printError(question);
  Deno.stdin.setRaw(true);
  try {
    return readLine();
  } finally {
    Deno.stdin.setRaw(false);
    printError("\n");
  }
}

/** Asks until the answer is yes or no. Throws {@link DozoError} without a terminal. */
export function askYesNo(question: string): boolean {
  needTerminal("answer");
  while (true) {
    printError(question);
    const answer = readLine().trim().toLowerCase();
    if (answer === "y" || answer === "yes") return true;
    if (answer === "n" || answer === "no") return false;
  }
}

/** Asks for a new password twice. Throws {@link DozoError} when the two differ or it is shorter than `minLength` bytes. */
export function newPassword(title: string, minLength: number): string {
  const first = askPassword(title);
  if (new TextEncoder().encode(first).length < minLength) {
    throw new DozoError(`password too short: use at least ${minLength} characters`);
  }
  if (askPassword("Verify Password: ") !== first) throw new DozoError("passwords do not match");
  return first;
}

/** The client's way to ask. */
export function terminalPrompts(): Prompts {
  return {
    interactive: isInteractive(),
    password: (question) => Promise.resolve().then(() => askPassword(question)),
    confirm: (question) => Promise.resolve().then(() => askYesNo(question)),
    say: (line) => printError(`${line}\n`),
  };
}

function needTerminal(what: string): void {
  if (!isInteractive()) throw new DozoError(`no ${what} input mechanism available: standard input is not a terminal`);
}

/** One line, byte by byte, so that what follows stays for the next question. */
function readLine(): string {
  const line = new LineInput();
  const byte = new Uint8Array(1);
  while (!line.finished) line.take(readSync(0, byte) === 1 ? byte[0] : undefined);
  if (line.cancelled) throw new DozoError("interrupted");
  return line.text;
}
