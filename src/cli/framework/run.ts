/** Runs one command line of a tool: look-up, parameters, work, error output, exit code (`spec/cli-output.md` §5). */
import { errorMessage } from "../../base/errors.ts";
import { ParameterError } from "../../config/schema/mod.ts";
import { parseArguments, UsageError } from "./arguments.ts";
import type { Tool } from "./command.ts";
import { completionCandidates } from "./completion.ts";
import { helpText, longUsage, shortUsage } from "./help.ts";
import { findCommand, UnknownCommandError } from "./lookup.ts";
import { logs, printError, printOut } from "./print.ts";

/** Exit code of every failure. */
export const FAILURE = 255;

/** Runs `words` (without the program's name) and returns the exit code. Never throws. */
export async function runTool(tool: Tool, words: readonly string[]): Promise<number> {
  try {
    if (words[0] === "bashcomplete") return await complete(tool);
    if (words[0] === "help" && tool.commands[0]?.path !== "") return help(tool, words.slice(1));
    const { command, rest } = findCommand(tool, words);
    try {
      return await command.invoke(parseArguments(command, rest));
    } catch (error) {
      if (!(error instanceof ParameterError || error instanceof UsageError)) throw error;
      printError(`Error: ${error.message}\n${longUsage(command, `${tool.name} `)}`);
      return FAILURE;
    }
  } catch (error) {
    if (error instanceof UnknownCommandError) {
      printError(`Error: ${error.message}\n\nUsage:\n\n${shortUsage(tool, error.level)}`);
    } else {
      printError(`Error: ${errorMessage(error)}\n`);
      if (logs("debug") && error instanceof Error) printError(`${error.stack}\n`);
    }
    return FAILURE;
  }
}

function help(tool: Tool, words: readonly string[]): number {
  const verboseAt = words.findIndex((word) => /^--?verbose(=|$)/.test(word));
  let verbose = false;
  const names = [...words];
  if (verboseAt >= 0) {
    const [, inline] = names[verboseAt].split("=");
    const follows = inline === undefined && /^(1|0|on|off|yes|no|true|false)$/i.test(names[verboseAt + 1] ?? "");
    const value = inline ?? (follows ? names[verboseAt + 1] : "true");
    verbose = /^(1|on|yes|true)$/i.test(value);
    names.splice(verboseAt, follows ? 2 : 1);
  }
  const text = helpText(tool, names, verbose);
  if (text === undefined) printError(`no such command '${names.join(" ")}'\n`);
  else printOut(text);
  return 0;
}

async function complete(tool: Tool): Promise<number> {
  const line = Deno.env.get("COMP_LINE") ?? "";
  const point = Number(Deno.env.get("COMP_POINT") ?? line.length);
  try {
    for (const candidate of await completionCandidates(tool, line, point)) printOut(`${candidate}\n`);
  } catch { /* half a command line has no candidates */ }
  return 0;
}
