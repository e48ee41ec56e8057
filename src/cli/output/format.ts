/** Prints results in the format that the user asked for (`spec/cli-output.md` §2). */
import { choice } from "../../config/schema/mod.ts";
import { printError, printOut } from "../framework/print.ts";
import { type Column, formatObject, formatTable, plainCell, tableStyle } from "./table.ts";

/** The `--output-format` option. */
export const outputFormat = () =>
  choice(["text", "json", "json-pretty"]).optional().meta({
    description: "Output format. Default: PROXMOX_OUTPUT_FORMAT.",
  });

/** A value of `--output-format`. */
export type OutputFormat = "text" | "json" | "json-pretty";

/** The option, else `PROXMOX_OUTPUT_FORMAT`, else text; undefined (after a message) when the variable makes no sense. */
export function chosenFormat(option: OutputFormat | undefined): OutputFormat | undefined {
  const format = option ?? (Deno.env.get("PROXMOX_OUTPUT_FORMAT") || "text");
  if (format === "text" || format === "json" || format === "json-pretty") return format;
  printError(`undefined output format '${format}'\n`);
  return undefined;
}

/** JSON with alphabetical keys on one line, or indented by two. */
export function formatJson(value: unknown, pretty: boolean): string {
  return JSON.stringify(sorted(value), undefined, pretty ? 2 : undefined) + "\n";
}

/** Prints a list: a table of `rows` in the given order, or `data` (default: the rows) as JSON. */
export function printList<Row>(
  option: OutputFormat | undefined,
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  data: unknown = rows,
): void {
  const format = chosenFormat(option);
  if (format === undefined) return;
  printOut(format === "text" ? formatTable(rows, columns, tableStyle()) : formatJson(data, format === "json-pretty"));
}

/** Prints one object as a Name/Value table of the `keys` that are present, or as JSON. */
export function printObject(
  option: OutputFormat | undefined,
  object: Readonly<Record<string, unknown>>,
  keys: readonly string[] = Object.keys(object),
  render: Readonly<Record<string, (value: unknown) => string>> = {},
): void {
  const format = chosenFormat(option);
  if (format === undefined) return;
  if (format !== "text") {
    printOut(formatJson(object, format === "json-pretty"));
    return;
  }
  const present = keys.filter((key) => object[key] !== undefined && object[key] !== null);
  const rows = present.map((key) =>
    [key, (render[key] ?? plainCell)(object[key]), typeof object[key] === "number" && !render[key]] as const
  );
  printOut(formatObject(rows, tableStyle()));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1).map(([key, member]) => [key, sorted(member)]));
}
