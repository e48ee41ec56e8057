/** Usage lines and the help command (`spec/cli-output.md` §6). */
import { z } from "zod";
import type { Command, Tool } from "./command.ts";
import { isList, isOptional } from "./arguments.ts";
import { commandsBelow, findCommand, UnknownCommandError } from "./lookup.ts";

interface JsonSchema {
  type?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  description?: string;
  typetext?: string;
  items?: JsonSchema;
}

/** `snapshot list [<group>] [OPTIONS]`, without the tool's name. */
export function usageLine(command: Command): string {
  const parts = command.path === "" ? [] : [command.path];
  for (const name of command.positional) {
    const body = isList(command, name) ? `{<${name}>}` : `<${name}>`;
    parts.push(isOptional(command, name) ? `[${body}]` : body);
  }
  const options = optionNames(command);
  for (const name of options.filter((name) => !isOptional(command, name))) {
    parts.push(`--${name} ${typeText(schemaOf(command, name))}`);
  }
  if (options.some((name) => isOptional(command, name))) parts.push("[OPTIONS]");
  return parts.join(" ");
}

/** Usage lines of all commands below `level`, with the tool's name in front. */
export function shortUsage(tool: Tool, level: readonly string[]): string {
  return commandsBelow(tool, level).map((command) => `${tool.name} ${usageLine(command)}\n`).join("");
}

/** Usage, description, positional parameters and options of one command. */
export function longUsage(command: Command, prefix = ""): string {
  const lines = [`Usage: ${prefix}${usageLine(command)}`, "", command.summary, ""];
  for (const name of command.positional) lines.push(...parameterLines(`<${name}>`, schemaOf(command, name)));
  const options = optionNames(command);
  const required = options.filter((name) => !isOptional(command, name));
  const optional = options.filter((name) => isOptional(command, name));
  for (const name of required) lines.push(...parameterLines(`--${name}`, schemaOf(command, name)));
  if (optional.length > 0) {
    lines.push("Optional parameters:", "");
    for (const name of optional) lines.push(...parameterLines(`--${name}`, schemaOf(command, name)));
  }
  return lines.join("\n").trimEnd() + "\n";
}

/** Text of `help [WORD…]`; undefined when the words name nothing. */
export function helpText(tool: Tool, words: readonly string[], verbose: boolean): string | undefined {
  const below = commandsBelow(tool, words);
  if (words.length === 0 || below.length > 1) {
    if (below.length === 0) return undefined;
    if (verbose) return below.map((command) => longUsage(command)).join("\n");
    return "Usage:\n\n" + below.map((command) => usageLine(command) + "\n").join("");
  }
  try {
    return longUsage(findCommand(tool, words).command);
  } catch (error) {
    if (error instanceof UnknownCommandError) return undefined;
    throw error;
  }
}

function optionNames(command: Command): string[] {
  return Object.keys(command.params.shape).filter((name) => !command.positional.includes(name)).sort();
}

function schemaOf(command: Command, name: string): JsonSchema {
  return z.toJSONSchema(command.params.shape[name], { io: "input", unrepresentable: "any" }) as JsonSchema;
}

function typeText(schema: JsonSchema): string {
  if (schema.typetext) return schema.typetext;
  if (schema.enum) return schema.enum.join("|");
  if (schema.type === "array") return typeText(schema.items ?? { type: "string" });
  if (schema.type === "integer") {
    const low = schema.minimum ?? Number.MIN_SAFE_INTEGER;
    const high = schema.maximum ?? Number.MAX_SAFE_INTEGER;
    if (low === Number.MIN_SAFE_INTEGER && high === Number.MAX_SAFE_INTEGER) return "<integer>";
    const from = low === Number.MIN_SAFE_INTEGER ? "-N" : String(low);
    return `<integer> (${from} - ${high === Number.MAX_SAFE_INTEGER ? "N" : high})`;
  }
  return `<${schema.type ?? "string"}>`;
}

function parameterLines(label: string, schema: JsonSchema): string[] {
  const fallback = schema.default === undefined || schema.type === "array" ? "" : `   (default=${schema.default})`;
  const description = schema.description ?? schema.items?.description;
  return [
    ` ${label.padEnd(10)} ${typeText(schema)}${fallback}`,
    ...(description ? wrap(description, 80 - 13).map((line) => " ".repeat(13) + line) : []),
    "",
  ];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  if (line) lines.push(line);
  return lines;
}
