/** Splits the words behind a command into parameters (`spec/cli-output.md` §1). */
import { itemOf, kindOf } from "../../config/schema/convert.ts";
import { checkForm, ParameterError } from "../../config/schema/mod.ts";
import { DozoError } from "../../base/errors.ts";
import type { Command } from "./command.ts";

const BOOLEAN_WORD = /^(1|0|on|off|yes|no|true|false)$/i;

/** Words that no parameter takes. Printed like a parameter error, with the usage behind it. */
export class UsageError extends DozoError {
  override readonly name = "UsageError";
}

/**
 * Parameters of `command` from `words`: `--name value`, `--name=value`, `-name value`, a lone boolean option, `--` and
 * positional words. Throws {@link ParameterError} or {@link UsageError}.
 */
export function parseArguments(command: Command, words: readonly string[]): Record<string, unknown> {
  const pairs: [string, string][] = [];
  const free: string[] = [];
  const errors = new Map<string, string>();
  let optionsEnded = false;
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    if (optionsEnded || !/^-./.test(word)) {
      free.push(word);
      continue;
    }
    if (word === "--") {
      optionsEnded = true;
      continue;
    }
    const [, name, inline] = /^--?([^=]*)(?:=([\s\S]*))?$/.exec(word) as RegExpExecArray;
    if (inline !== undefined) {
      pairs.push([name, inline]);
      continue;
    }
    const next = words[i + 1];
    if (isBoolean(command, name)) {
      if (next !== undefined && BOOLEAN_WORD.test(next)) pairs.push([name, words[++i]]);
      else if (defaultsToTrue(command, name)) errors.set(name, "missing boolean value.");
      else pairs.push([name, "true"]);
    } else if (next === undefined || /^-./.test(next)) {
      errors.set(name, "missing parameter value.");
    } else {
      pairs.push([name, words[++i]]);
    }
  }
  const extra = assignPositional(command, free, pairs, errors);
  if (errors.size > 0) throw new ParameterError(errors);
  if (extra.length > 0) {
    throw new UsageError(`got additional arguments: ${JSON.stringify(extra).replaceAll('","', '", "')}`);
  }
  return checkForm(command.params, pairs);
}

/** True for the parameter that takes all remaining words. */
export function isList(command: Command, name: string): boolean {
  return name in command.params.shape && kindOf(command.params.shape[name]) === "array";
}

/** True when the parameter may be absent. */
export function isOptional(command: Command, name: string): boolean {
  const schema = command.params.shape[name];
  return schema !== undefined && schema.safeParse(undefined).success;
}

function isBoolean(command: Command, name: string): boolean {
  const schema = Object.hasOwn(command.params.shape, name) ? command.params.shape[name] : undefined;
  if (!schema) return false;
  return kindOf(kindOf(schema) === "array" ? itemOf(schema) : schema) === "boolean";
}

function defaultsToTrue(command: Command, name: string): boolean {
  const result = command.params.shape[name].safeParse(undefined);
  return result.success && result.data === true;
}

/** Gives free words to the positional parameters; returns those left over. */
function assignPositional(
  command: Command,
  free: readonly string[],
  pairs: [string, string][],
  errors: Map<string, string>,
): string[] {
  const rest = [...free];
  for (const name of command.positional) {
    if (isList(command, name)) {
      for (const word of rest.splice(0)) pairs.push([name, word]);
      if (!isOptional(command, name) && !pairs.some(([given]) => given === name)) errors.set(name, "missing argument");
    } else if (rest.length > 0) {
      pairs.push([name, rest.shift() as string]);
    } else if (!isOptional(command, name)) {
      errors.set(name, "missing argument");
    }
  }
  return rest;
}
