/** `bashcomplete`: candidates for the word under the cursor (`spec/cli-output.md` §7). Failures print nothing. */
import { z } from "zod";
import { splitForCompletion } from "./completion_words.ts";
import type { Command, Tool } from "./command.ts";
import { findCommand, wordsBelow } from "./lookup.ts";

/** Candidates for `line` (the whole command line) with the cursor at byte `point`. */
export async function completionCandidates(tool: Tool, line: string, point: number): Promise<string[]> {
  const { words, current } = splitForCompletion(line, point);
  const given = words.slice(1);
  const helping = given[0] === "help";
  const level = helping ? given.slice(1) : given;
  const next = commandWords(tool, level);
  if (next) return next.filter((word) => word.startsWith(current));
  if (helping) return [];
  const { command, rest } = findCommand(tool, given);
  const candidates = await parameterCandidates(tool, command, rest, current);
  return candidates.filter((word) => word.startsWith(current));
}

/** The next command words if `level` is not yet a whole command. */
function commandWords(tool: Tool, level: readonly string[]): string[] | undefined {
  if (level.length > 0 && tool.aliases?.[level[0]]) return undefined;
  if (tool.commands.some(({ path }) => path === "" || path === level.slice(0, path.split(" ").length).join(" "))) {
    return undefined;
  }
  return wordsBelow(tool, level);
}

async function parameterCandidates(tool: Tool, command: Command, rest: string[], current: string): Promise<string[]> {
  const given: Record<string, string[]> = {};
  let free = 0;
  let pending: string | undefined;
  for (const word of rest) {
    if (pending !== undefined) {
      (given[pending] ??= []).push(word);
      pending = undefined;
    } else if (/^--?[^=]+$/.test(word)) {
      pending = word.replace(/^--?/, "");
    } else {
      const name = command.positional[Math.min(free++, command.positional.length - 1)];
      if (name) (given[name] ??= []).push(word);
    }
  }
  if (pending !== undefined && pending in command.params.shape) {
    const values = await valueCandidates(tool, command, pending, given);
    if (!isFlag(command, pending) || !current.startsWith("-")) return values;
    given[pending] = [];
  }
  if (current.startsWith("-")) {
    return Object.keys(command.params.shape)
      .filter((name) => !command.positional.includes(name) && (!(name in given) || isRepeatable(command, name)))
      .map((name) => `--${name}`).sort();
  }
  const name = command.positional[Math.min(free, command.positional.length - 1)];
  return name ? await valueCandidates(tool, command, name, given) : [];
}

async function valueCandidates(
  tool: Tool,
  command: Command,
  name: string,
  given: Record<string, string[]>,
): Promise<string[]> {
  const schema = jsonSchema(command, name);
  if (schema.enum) return schema.enum;
  if (schema.type === "boolean") return ["0", "1", "false", "no", "off", "on", "true", "yes"];
  return await tool.complete?.(command, name, given) ?? [];
}

function jsonSchema(command: Command, name: string): { type?: string; enum?: string[] } {
  return z.toJSONSchema(command.params.shape[name], { io: "input", unrepresentable: "any" }) as {
    type?: string;
    enum?: string[];
  };
}

function isFlag(command: Command, name: string): boolean {
  return jsonSchema(command, name).type === "boolean";
}

function isRepeatable(command: Command, name: string): boolean {
  return jsonSchema(command, name).type === "array";
}
