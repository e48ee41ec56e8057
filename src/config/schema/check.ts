/**
 * Checks request parameters against a zod object and reports every fault in the words of PBS
 * (`spec/rest-conventions.md` §3 and §4). Used by the REST API and by the HTTP/2 backup and reader sessions.
 */
import { z } from "zod";
import { DozoError } from "../../base/errors.ts";
import { convertText, exactNumbers, itemOf, kindOf } from "./convert.ts";

/** Parameters that did not pass; `errors` maps each name (`outer/inner`, `name/[3]`) to its fault, in order of discovery. */
export class ParameterError extends DozoError {
  override readonly name = "ParameterError";
  readonly errors: ReadonlyMap<string, string>;

  constructor(errors: ReadonlyMap<string, string>) {
    const lines = [...errors].map(([name, fault]) => `'${name}': ${fault}`);
    super(
      lines.length === 1
        ? `parameter verification failed - ${lines[0]}`
        : `parameter verification failed:\n${lines.map((line) => `- ${line}`).join("\n")}`,
    );
    this.errors = errors;
  }

  /** A single fault of one parameter, for checks that a handler makes itself. */
  static of(name: string, fault: string): ParameterError {
    return new ParameterError(new Map([[name, fault]]));
  }
}

/** Names with text values, as a query, a form body or path placeholders give them. */
export type ParameterPairs = Iterable<readonly [string, string]>;

/** A cache buster of web clients: accepted everywhere, never a parameter. */
const IGNORED = "_dc";

function expectedText(expected: string): string {
  switch (expected) {
    case "int":
      return "Expected integer value.";
    case "number":
      return "Expected number value.";
    case "array":
      return "Expected array - got scalar value.";
    case "object":
    case "record":
      return "Expected object - got scalar value.";
    default:
      return `Expected ${expected} value.`;
  }
}

function messageOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined && issue.path.length > 0) return "property is missing and it is not optional";
      return issue.message.startsWith("Expected ") ? issue.message : expectedText(issue.expected);
    case "invalid_value":
      return typeof issue.input === "string"
        ? `value '${issue.input}' is not defined in the enumeration.`
        : "Expected string value.";
    case "too_small":
      if (issue.origin === "array") return `array must contain at least ${issue.minimum} elements`;
      if (issue.origin === "string") return `value must be at least ${issue.minimum} characters long`;
      return `value must have a minimum value of ${issue.minimum} (got ${issue.input})`;
    case "too_big":
      if (issue.origin === "array") return `array may only contain ${issue.maximum} elements`;
      if (issue.origin === "string") return `value may only be ${issue.maximum} characters long`;
      return `value must have a maximum value of ${issue.maximum} (got ${issue.input})`;
    case "invalid_format":
      return "value does not match the regex pattern";
    case "unrecognized_keys":
      return "schema does not allow additional properties";
    default:
      return issue.message;
  }
}

function pathOf(name: string, path: readonly PropertyKey[]): string {
  return [name, ...path.map((step) => typeof step === "number" ? `[${step}]` : String(step))].join("/");
}

/** Checks one value; faults go to `errors`, the parsed value is returned. */
function checkValue(name: string, schema: z.core.$ZodType, value: unknown, errors: Map<string, string>): unknown {
  const result = z.core.safeParse(schema, value, { reportInput: true });
  if (result.success) return result.data;
  for (const issue of result.error.issues) {
    const paths = issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
    for (const path of paths) {
      const at = pathOf(name, path);
      if (!errors.has(at)) errors.set(at, messageOf(issue));
    }
  }
  return undefined;
}

function fieldOf(schema: z.ZodObject, name: string): z.core.$ZodType | undefined {
  return Object.hasOwn(schema.shape, name) ? schema.shape[name] : undefined;
}

function allowsMore(schema: z.ZodObject): boolean {
  const catchall = schema.def.catchall;
  return catchall !== undefined && catchall._zod.def.type !== "never";
}

/** Sets absent names to their defaults; names that are required and absent become faults with the text `missing`. */
function fillAbsent(
  schema: z.ZodObject,
  values: Record<string, unknown>,
  errors: Map<string, string>,
  missing: string,
): void {
  for (const name of Object.keys(schema.shape).sort()) {
    if (Object.hasOwn(values, name)) continue;
    const result = z.core.safeParse(schema.shape[name], undefined);
    if (!result.success) errors.set(name, missing);
    else if (result.data !== undefined) values[name] = result.data;
  }
}

function finish<S extends z.ZodObject>(values: Record<string, unknown>, errors: Map<string, string>): z.output<S> {
  if (errors.size > 0) throw new ParameterError(errors);
  return values as z.output<S>;
}

/**
 * Checks text parameters (query, form body, path placeholders together). Texts are converted to the type of the schema,
 * lists come from repeated names. Throws {@link ParameterError} with all faults; absent required names are
 * reported only when nothing else is wrong, as PBS does.
 */
export function checkForm<S extends z.ZodObject>(schema: S, pairs: ParameterPairs): z.output<S> {
  const errors = new Map<string, string>();
  const texts = new Map<string, string[]>();
  for (const [name, value] of pairs) {
    if (name === IGNORED) continue;
    const seen = texts.get(name);
    if (seen) seen.push(value);
    else texts.set(name, [value]);
  }
  const values: Record<string, unknown> = Object.create(null);
  for (const [name, given] of texts) {
    const field = fieldOf(schema, name);
    const list = field !== undefined && kindOf(field) === "array";
    if (!field && !allowsMore(schema)) errors.set(name, "schema does not allow additional properties.");
    else if (given.length > 1 && !list) errors.set(name, "duplicate parameter.");
    else if (!field) values[name] = given[0];
    else {
      // An element of a list is reported under the name alone, unlike in JSON.
      const item = list ? itemOf(field) : field;
      const items = given.map((one) => {
        const { value, fault } = convertText(one, item);
        if (fault === undefined) return checkValue(name, item, value, errors);
        errors.set(name, fault);
      });
      if (!errors.has(name)) values[name] = list ? checkValue(name, field, items, errors) : items[0];
    }
  }
  if (errors.size === 0) fillAbsent(schema, values, errors, "parameter is missing and it is not optional.");
  return finish<S>(values, errors);
}

/**
 * Checks a JSON body together with text `placeholders` from the path (converted by the schema; a name in both is a
 * duplicate). Values must already have the right type. Throws {@link ParameterError} with all faults, sorted by name.
 */
export function checkJson<S extends z.ZodObject>(
  schema: S,
  body: unknown,
  placeholders: ParameterPairs = [],
): z.output<S> {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new DozoError("Expected object - the request body must be a JSON object with the parameters.");
  }
  const errors = new Map<string, string>();
  const given = new Map<string, unknown>(Object.entries(body));
  given.delete(IGNORED);
  for (const [name, value] of placeholders) {
    const field = fieldOf(schema, name);
    if (given.has(name)) errors.set(name, "duplicate parameter.");
    else {
      const { value: converted, fault } = field ? convertText(value, field) : { value, fault: undefined };
      if (fault !== undefined) errors.set(name, fault);
      given.set(name, converted);
    }
  }
  const values: Record<string, unknown> = Object.create(null);
  for (const name of [...given.keys()].sort()) {
    const field = fieldOf(schema, name);
    if (errors.has(name)) values[name] = undefined;
    else if (field) values[name] = checkValue(name, field, exactNumbers(given.get(name), field), errors);
    else if (allowsMore(schema)) values[name] = given.get(name);
    else errors.set(name, "schema does not allow additional properties");
  }
  fillAbsent(schema, values, errors, "property is missing and it is not optional");
  return finish<S>(values, new Map([...errors].sort(([a], [b]) => a < b ? -1 : a > b ? 1 : 0)));
}
