/** What a command is: a path of words, parameters as one zod object, and the work. */
import type { z } from "zod";

/** A command of a tool. All parameters, positional ones included, are members of `params`. */
export interface CommandDefinition<S extends z.ZodObject> {
  /** Words that call it, such as `snapshot notes show`. */
  readonly path: string;
  /** One sentence for the help. */
  readonly summary: string;
  /** Names of the parameters given without `--name`, in order. Only the last may be optional or a list. */
  readonly positional?: readonly (keyof z.output<S> & string)[];
  readonly params: S;
  /** Does the work; a number is the exit code (0 otherwise). Errors are printed by the framework. */
  run(params: z.output<S>): Promise<number | void> | number | void;
}

/** A command whose parameter types are no longer visible, as tables hold it. */
export interface Command {
  readonly path: string;
  readonly summary: string;
  readonly positional: readonly string[];
  readonly params: z.ZodObject;
  invoke(params: Record<string, unknown>): Promise<number>;
}

/** A program name with its commands. `single` tools have one command that is called without a word. */
export interface Tool {
  readonly name: string;
  readonly commands: readonly Command[];
  /** Second names: alias → path of the command. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** Extra candidates for completion: parameter name → candidates (may ask the server, must never prompt). */
  complete?(command: Command, parameter: string, given: Record<string, string[]>): Promise<string[]>;
}

/** Erases the parameter type of a definition; the check before `invoke` guarantees it. */
export function command<S extends z.ZodObject>(definition: CommandDefinition<S>): Command {
  return {
    path: definition.path,
    summary: definition.summary,
    positional: definition.positional ?? [],
    params: definition.params,
    invoke: async (params) => (await definition.run(params as z.output<S>)) ?? 0,
  };
}
