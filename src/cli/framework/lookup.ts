/** Finds the command that the first words of a command line mean; unambiguous prefixes are enough. */
import { DozoError } from "../../base/errors.ts";
import type { Command, Tool } from "./command.ts";

/** The words do not name a command. `level` holds the words understood so far. */
export class UnknownCommandError extends DozoError {
  override readonly name = "UnknownCommandError";
  readonly level: readonly string[];

  constructor(message: string, level: readonly string[]) {
    super(message);
    this.level = level;
  }
}

/** The command and the words behind it. Throws {@link UnknownCommandError}. */
export function findCommand(tool: Tool, words: readonly string[]): { command: Command; rest: string[] } {
  const only = tool.commands.length === 1 && tool.commands[0].path === "" ? tool.commands[0] : undefined;
  if (only) return { command: only, rest: [...words] };
  const alias = words.length > 0 ? tool.aliases?.[words[0]] : undefined;
  const line = alias ? [...alias.split(" "), ...words.slice(1)] : [...words];
  const level: string[] = [];
  while (true) {
    const prefix = level.length ? level.join(" ") + " " : "";
    const exact = tool.commands.find((command) => command.path === level.join(" "));
    if (exact) return { command: exact, rest: line.slice(level.length) };
    const candidates = wordsBelow(tool, level);
    const word = line[level.length];
    if (word === undefined || /^-/.test(word)) {
      throw new UnknownCommandError(
        `no command specified.\nPossible commands: ${candidates.join(", ")}`,
        level,
      );
    }
    // Second names are whole words: they must not make a command's prefix ambiguous.
    const names = candidates.filter((name) => !(level.length === 0 && tool.aliases && name in tool.aliases));
    const matches = names.includes(word) ? [word] : names.filter((name) => name.startsWith(word));
    if (matches.length !== 1) throw new UnknownCommandError(`no such command '${prefix}${word}'`, level);
    level.push(matches[0]);
  }
}

/** Next words that may follow `level`, in alphabetical order. */
export function wordsBelow(tool: Tool, level: readonly string[]): string[] {
  const found = new Set<string>();
  for (const { path } of tool.commands) {
    const words = path.split(" ");
    if (words.length > level.length && level.every((word, i) => words[i] === word)) found.add(words[level.length]);
  }
  if (level.length === 0) {
    for (const alias of Object.keys(tool.aliases ?? {})) found.add(alias);
    found.add("help");
  }
  return [...found].sort();
}

/** All commands below `level`, sorted by path. */
export function commandsBelow(tool: Tool, level: readonly string[]): Command[] {
  const prefix = level.join(" ");
  return tool.commands
    .filter(({ path }) => prefix === "" || path === prefix || path.startsWith(prefix + " "))
    .sort((a, b) => a.path < b.path ? -1 : 1);
}
