/** Conversion of text parameters to the type that a schema wants (`spec/rest-conventions.md` §3). */
import { z } from "zod";

type Kind = z.core.$ZodTypeDef["type"];

/** The schema below `optional`, `default` and the like. */
function bare(schema: z.core.$ZodType): z.core.$ZodType {
  let current = schema;
  while (
    current instanceof z.core.$ZodOptional || current instanceof z.core.$ZodDefault ||
    current instanceof z.core.$ZodNullable || current instanceof z.core.$ZodReadonly ||
    current instanceof z.core.$ZodPrefault
  ) {
    current = current._zod.def.innerType;
  }
  return current instanceof z.core.$ZodPipe ? bare(current._zod.def.in) : current;
}

/** The kind of value that `schema` holds, seen through optional and default. */
export function kindOf(schema: z.core.$ZodType): Kind {
  return bare(schema)._zod.def.type;
}

/** The schema of the elements of a list schema. */
export function itemOf(schema: z.core.$ZodType): z.core.$ZodType {
  const list = bare(schema);
  return list instanceof z.core.$ZodArray ? list._zod.def.element : list;
}

/** True for a schema of whole numbers. */
function isInteger(schema: z.core.$ZodType): boolean {
  const type = bare(schema);
  return type instanceof z.core.$ZodNumberFormat || (type instanceof z.ZodNumber && type.isInt);
}

interface Converted {
  readonly value?: unknown;
  readonly fault?: string;
}

function convertInteger(given: string): Converted {
  if (given === "") return { fault: "cannot parse integer from empty string" };
  if (!/^[+-]?[0-9]+$/.test(given)) return { fault: "invalid digit found in string" };
  const value = Number(given);
  if (!Number.isSafeInteger(value)) {
    return { fault: `number too ${value < 0 ? "small" : "large"} to fit in target type` };
  }
  return { value: value === 0 ? 0 : value };
}

function convertNumber(given: string): Converted {
  if (!/^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$/.test(given)) return { fault: "invalid float literal" };
  return { value: Number(given) };
}

function convertBoolean(given: string): Converted {
  switch (given.toLowerCase()) {
    case "1":
    case "on":
    case "yes":
    case "true":
      return { value: true };
    case "0":
    case "off":
    case "no":
    case "false":
      return { value: false };
    default:
      return { fault: "Unable to parse boolean option." };
  }
}

/** `given` as the type of `schema`, or the fault of the text. Types that have no text form pass unchanged. */
export function convertText(given: string, schema: z.core.$ZodType): Converted {
  switch (kindOf(schema)) {
    case "boolean":
      return convertBoolean(given);
    case "number":
      return isInteger(schema) ? convertInteger(given) : convertNumber(given);
    default:
      return { value: given };
  }
}

/** A whole number that the JSON text wrote with a fraction or exponent (`7.0`): a number, but not an integer for PBS. */
export class FractionNumber {
  constructor(readonly value: number) {}
}

/** `JSON.parse` that keeps the difference between `7` and `7.0` as {@link FractionNumber}. Throws SyntaxError. */
export function parseJson(source: string): unknown {
  const revive = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === "number" && Number.isInteger(value) && context?.source !== undefined &&
      /[.eE]/.test(context.source)
      ? new FractionNumber(value)
      : value;
  return JSON.parse(source, revive as (key: string, value: unknown) => unknown);
}

/** `value` with {@link FractionNumber}s turned to plain numbers where `schema` wants any number. */
export function exactNumbers(value: unknown, schema: z.core.$ZodType): unknown {
  if (value instanceof FractionNumber && kindOf(schema) === "number" && !isInteger(schema)) return value.value;
  return value;
}
