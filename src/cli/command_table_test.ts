/** The command tables against `spec/cli.json`: parameters, order, defaults and constraints are the established tools'. */
import assert from "node:assert/strict";
import { z } from "zod";
import { vectorJson } from "../../test/vectors.ts";
import { ParameterError } from "../config/schema/mod.ts";
import { clientTool } from "./client/tool.ts";
import { isList, isOptional, parseArguments } from "./framework/arguments.ts";
import type { Command, Tool } from "./framework/command.ts";
import { findCommand } from "./framework/lookup.ts";
import { pxarTool } from "./pxar/tool.ts";

interface SpecParameter {
  readonly name?: string;
  readonly type: string;
  readonly optional?: boolean;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly enum?: string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: SpecParameter;
}
interface SpecCommand {
  readonly tool: string;
  readonly command?: string;
  readonly positional: SpecParameter[];
  readonly options?: Record<string, SpecParameter>;
  readonly aliases?: { alias: string; command: string }[];
}

const spec = vectorJson<SpecCommand[]>("spec/cli.json");

function specOf(tool: string, path: string): SpecCommand {
  const found = spec.find((entry) => entry.tool === tool && entry.command === path);
  assert.ok(found, `${tool} ${path} is not in the specification`);
  return found;
}

/** Names, order and presence of a command's parameters. */
function checkShape(command: Command, wanted: SpecCommand): void {
  const at = `${wanted.tool} ${command.path}`;
  assert.deepEqual(command.positional, wanted.positional.map(({ name }) => name), `${at}: positional`);
  const options = Object.keys(command.params.shape).filter((name) => !command.positional.includes(name));
  assert.deepEqual(options.sort(), Object.keys(wanted.options ?? {}).sort(), `${at}: options`);
  for (const parameter of wanted.positional) {
    const name = parameter.name as string;
    assert.equal(isOptional(command, name), parameter.optional ?? false, `${at}: <${name}> optional`);
    checkConstraints(`${at} <${name}>`, command, name, parameter);
  }
  for (const [name, parameter] of Object.entries(wanted.options ?? {})) {
    assert.equal(isOptional(command, name), !parameter.required, `${at}: --${name} optional`);
    checkConstraints(`${at} --${name}`, command, name, parameter);
  }
}

interface JsonSchema {
  type?: string;
  enum?: string[];
  default?: unknown;
  minimum?: number;
  maximum?: number;
  items?: JsonSchema;
}

function checkConstraints(at: string, command: Command, name: string, parameter: SpecParameter): void {
  const whole = z.toJSONSchema(command.params.shape[name], { io: "input", unrepresentable: "any" }) as JsonSchema;
  assert.equal(isList(command, name), parameter.type === "array", `${at}: list`);
  assert.equal(whole.type, parameter.type, `${at}: type`);
  assert.deepEqual(whole.default, parameter.default, `${at}: default`);
  const schema = whole.items ?? whole;
  const wanted = parameter.items ?? parameter;
  assert.deepEqual(schema.enum, wanted.enum, `${at}: words`);
  if (wanted.type === "integer") {
    assert.equal(bound(schema.minimum), bound(wanted.minimum), `${at}: minimum`);
    assert.equal(bound(schema.maximum), bound(wanted.maximum), `${at}: maximum`);
  }
}

/** A limit that only says "any 64-bit integer" is none. */
function bound(limit: number | undefined): number | undefined {
  return limit === undefined || Math.abs(limit) >= Number.MAX_SAFE_INTEGER ? undefined : limit;
}

const tools: readonly [string, Tool][] = [
  ["proxmox-backup-client", clientTool("proxmox-backup-client")],
  ["pxar", pxarTool("pxar")],
];

for (const [name, tool] of tools) {
  Deno.test(`every command of ${name} has the parameters of the established tool`, () => {
    for (const command of tool.commands) checkShape(command, specOf(name, command.path));
  });

  Deno.test(`the aliases of ${name} are those of the established tool`, () => {
    const wanted = spec.find((entry) => entry.tool === name && entry.aliases)?.aliases ?? [];
    assert.deepEqual(tool.aliases ?? {}, Object.fromEntries(wanted.map(({ alias, command }) => [alias, command])));
    for (const { alias, command } of wanted) assert.equal(findCommand(tool, [alias]).command.path, command);
  });
}

/** Words for the required parameters of a command, all valid. */
function validWords(wanted: SpecCommand): string[] {
  const words = wanted.positional.filter(({ optional }) => !optional).map((one) => sample(one.name ?? "", one));
  for (const [name, one] of Object.entries(wanted.options ?? {})) {
    if (one.required) words.push(`--${name}`, sample(name, one));
  }
  return words;
}

function sample(name: string, { type, enum: words }: SpecParameter): string {
  if (words) return words[0];
  if (type === "boolean") return "true";
  if (type === "integer") return "1";
  if (name === "backupspec") return "root.pxar:/";
  return name === "new-owner" ? "a@pbs" : "host/a";
}

/** A value that the constraint refuses, and the fault that is reported. */
function* badValues({ type, enum: words, minimum, maximum, minLength, maxLength, pattern }: SpecParameter): Generator<
  [value: string, fault: RegExp]
> {
  if (words) yield ["nonsense", /^value 'nonsense' is not defined in the enumeration\.$/];
  if (type === "boolean") yield ["maybe", /^Unable to parse boolean option\.$/];
  if (type === "integer") {
    yield ["x", /^invalid digit found in string$/];
    if (minimum !== undefined) {
      yield [
        String(minimum - 1),
        new RegExp(`^value must have a minimum value of ${minimum} \\(got ${minimum - 1}\\)$`),
      ];
    }
    if (bound(maximum) !== undefined) {
      const above = maximum as number + 1;
      yield [String(above), new RegExp(`^value must have a maximum value of ${maximum} \\(got ${above}\\)$`)];
    }
  }
  if (minLength !== undefined && minLength > 0) {
    yield ["a".repeat(minLength - 1), new RegExp(`^value must be at least ${minLength} characters long$`)];
  }
  if (maxLength !== undefined) {
    yield ["a".repeat(maxLength + 1), new RegExp(`^value may only be ${maxLength} characters long$`)];
  }
  if (pattern === undefined) return;
  const regex = patternOf(pattern);
  for (const value of ["\u0001\u0002\u0003", "abcd\\", "a b c"]) {
    if (!regex.test(value)) yield [value, /^value does not match the regex pattern$/];
  }
}

/** The specification's patterns are in another dialect. */
function patternOf(pattern: string): RegExp {
  return new RegExp(
    pattern.replaceAll("[:cntrl:]", "\\x00-\\x1f\\x7f").replaceAll("[[:^cntrl:]]", "[^\\x00-\\x1f\\x7f]").replaceAll(
      "(?P<",
      "(?<",
    ),
  );
}

for (const [name, tool] of tools) {
  Deno.test(`${name} refuses every bad value by its name and with the established text`, () => {
    let checked = 0;
    for (const command of tool.commands) {
      const wanted = specOf(name, command.path);
      const options: [string, SpecParameter][] = [
        ...wanted.positional.map((one): [string, SpecParameter] => [one.name as string, one]),
        ...Object.entries(wanted.options ?? {}),
      ];
      for (const [option, parameter] of options) {
        for (const [value, fault] of badValues(parameter.items ?? parameter)) {
          const others = validWords({
            ...wanted,
            positional: wanted.positional.filter((one) => one.name !== option),
            options: Object.fromEntries(Object.entries(wanted.options ?? {}).filter(([one]) => one !== option)),
          });
          const at = `${name} ${command.path} --${option}=${value.slice(0, 20)}`;
          // A positional parameter given as an option takes the place of its word.
          const alone = { ...command, positional: command.positional.filter((one) => one !== option) };
          assert.throws(() => parseArguments(alone, [...others, `--${option}=${value}`]), (error) => {
            assert.ok(error instanceof ParameterError, `${at}: ${error}`);
            assert.match(error.errors.get(option) ?? "", fault, at);
            return true;
          }, at);
          checked++;
        }
      }
    }
    assert.ok(checked > (name === "pxar" ? 20 : 200), `${checked}`);
  });
}

Deno.test("CL-48 a chunk size that is no power of two is refused", () => {
  const { command } = findCommand(tools[0][1], ["backup"]);
  for (const size of ["100", "63", "4097"]) {
    assert.throws(() => parseArguments(command, ["a.pxar:/", "--chunk-size", size]), /'chunk-size'/);
  }
  for (const size of ["64", "128", "4096"]) parseArguments(command, ["a.pxar:/", "--chunk-size", size]);
});
