/**
 * Tables as the established tools print them (`spec/cli-output.md` §3): box characters in UTF-8 locales, ASCII otherwise,
 * a line between all rows, cut at the terminal's width.
 */
import { displayWidth } from "./width.ts";

/** One column: `key` of the record, header text, alignment and a renderer for the raw value. */
export interface Column<Row> {
  readonly key: string;
  readonly header?: string;
  readonly right?: boolean;
  readonly render?: (value: unknown, row: Row) => string;
}

/** How to draw; {@link tableStyle} reads it from the environment. */
export interface TableStyle {
  readonly border: boolean;
  readonly header: boolean;
  readonly utf8: boolean;
  /** Columns of the terminal; undefined when the output is not a terminal. */
  readonly width?: number;
}

interface Lines {
  readonly top: readonly [string, string, string, string];
  readonly head: readonly [string, string, string, string];
  readonly row: readonly [string, string, string, string];
  readonly bottom: readonly [string, string, string, string];
  readonly side: string;
}

const BOX: Lines = {
  top: ["┌", "─", "┬", "┐"],
  head: ["╞", "═", "╪", "╡"],
  row: ["├", "─", "┼", "┤"],
  bottom: ["└", "─", "┴", "┘"],
  side: "│",
};
const ASCII: Lines = {
  top: ["+", "=", "+", "+"],
  head: ["+", "=", "+", "+"],
  row: ["+", "-", "+", "+"],
  bottom: ["+", "=", "+", "+"],
  side: "|",
};

/** Style by locale, `PROXMOX_OUTPUT_NO_BORDER`, `PROXMOX_OUTPUT_NO_HEADER` and the terminal on stdout. */
export function tableStyle(): TableStyle {
  const locale = Deno.env.get("LC_ALL") || Deno.env.get("LC_CTYPE") || Deno.env.get("LANG") || "";
  return {
    border: Deno.env.get("PROXMOX_OUTPUT_NO_BORDER") === undefined,
    header: Deno.env.get("PROXMOX_OUTPUT_NO_HEADER") === undefined,
    utf8: /utf-?8$/i.test(locale.split("@")[0]),
    width: Deno.stdout.isTerminal() ? Deno.consoleSize().columns : undefined,
  };
}

/** The text of a list, rows in the given order; nothing at all for no rows. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], style: TableStyle): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) => columns.map((column) => cellLines(row, column)));
  return draw(
    cells,
    columns.map((column) => [column.header ?? column.key]),
    columns.map((c) => c.right === true),
    style,
  );
}

/** The text of one object as `Name`/`Value` rows; values are right-aligned only if all are numbers. */
export function formatObject(
  entries: readonly (readonly [string, string, numeric: boolean])[],
  style: TableStyle,
): string {
  const cells = entries.map(([name, value]) => [[name], value.split("\n")]);
  const right = entries.length > 0 && entries.every(([, , numeric]) => numeric);
  return draw(cells, [["Name"], ["Value"]], [false, right], style);
}

/** A value without a renderer: text as it is, booleans 1/0, structures as JSON, absent ones empty. */
export function plainCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "boolean") return value ? "1" : "0";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function cellLines<Row>(row: Row, column: Column<Row>): string[] {
  const value = (row as Record<string, unknown>)[column.key];
  return (column.render ? column.render(value, row) : plainCell(value)).split("\n");
}

function draw(cells: string[][][], header: string[][], right: boolean[], style: TableStyle): string {
  const withHeader = style.header && style.border;
  const counted = withHeader ? [header, ...cells] : cells;
  const widths = header.map((_, i) => Math.max(0, ...counted.map((row) => Math.max(...row[i].map(displayWidth)))));
  const lines = style.utf8 ? BOX : ASCII;
  const rule = ([left, fill, cross, end]: Lines["top"]) =>
    left + widths.map((width) => fill.repeat(width + 2)).join(cross) + end;
  const output: string[] = [];
  const content = (row: string[][], aligned: boolean[]) => output.push(...rowLines(row, widths, aligned, lines, style));

  if (style.border) output.push(rule(lines.top));
  if (withHeader) {
    content(header, right);
    output.push(rule(lines.head));
  }
  cells.forEach((row, i) => {
    if (i > 0 && style.border) output.push(rule(lines.row));
    content(row, right);
  });
  if (style.border) output.push(rule(lines.bottom));
  return output.map((line) => cut(line, style.width) + "\n").join("");
}

function rowLines(row: string[][], widths: number[], right: boolean[], lines: Lines, style: TableStyle): string[] {
  const height = Math.max(...row.map((cell) => cell.length));
  return Array.from({ length: height }, (_, line) => {
    const padded = row.map((cell, i) => {
      const text = cell[line] ?? "";
      const fill = " ".repeat(widths[i] - displayWidth(text));
      return right[i] ? fill + text : text + fill;
    });
    return style.border ? `${lines.side} ${padded.join(` ${lines.side} `)} ${lines.side}` : padded.join(" ");
  });
}

function cut(line: string, width: number | undefined): string {
  if (width === undefined || displayWidth(line) <= width) return line;
  let kept = "";
  let used = 0;
  for (const char of line) {
    used += displayWidth(char);
    if (used > width) break;
    kept += char;
  }
  return kept;
}
